# Makes the database once, and sets the password at each start, so that a rotated Secret takes
# effect with the pod's restart. Single-user mode reads one command a line.
set -eu
single() { postgres --single -D "$PGDATA" postgres >/dev/null; }
[ -s "$PGDATA/PG_VERSION" ] || initdb --username=postgres --auth-local=trust \
  --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 >/dev/null
quoted=$(printf %s "$PASSWORD" | sed "s/'/''/g")
role='DO $$ BEGIN CREATE ROLE mediaplatform LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$'
printf '%s\n' "$role" "ALTER ROLE mediaplatform PASSWORD '$quoted'" | single
printf '%s\n' 'CREATE DATABASE mediaplatform OWNER mediaplatform' | single 2>/dev/null
grep -q '^host all all all ' "$PGDATA/pg_hba.conf" \
  || echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
exec postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/tmp
