# Makes the database once, and sets the password at each start, so that a rotated Secret takes
# effect with the pod's restart. Single-user mode reads one command a line, and goes on after one
# that fails because its work is done already. No two dollar signs in a row: Kubernetes reads
# them as one.
set -eu
single() { postgres --single -D "$PGDATA" postgres >/dev/null; }
[ -s "$PGDATA/PG_VERSION" ] || initdb --username=postgres --auth-local=trust \
  --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 >/dev/null
chmod 0700 "$PGDATA"  # fsGroup opens it to the group, which PostgreSQL refuses
# Of a container that was killed: its process 1 is ours now, and a StatefulSet runs no second pod.
rm -f "$PGDATA/postmaster.pid"
printf '%s\n' 'CREATE ROLE mediaplatform LOGIN' 'CREATE DATABASE mediaplatform OWNER mediaplatform' \
  | single 2>/dev/null
quoted=$(printf %s "$PASSWORD" | sed "s/'/''/g")
printf '%s\n' "ALTER ROLE mediaplatform PASSWORD '$quoted'" | single
grep -q '^host all all all ' "$PGDATA/pg_hba.conf" \
  || echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
exec postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/tmp
