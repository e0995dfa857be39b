set -eu
exec valkey-server --bind '*' --protected-mode yes --dir /data --appendonly yes \
  --maxmemory 200mb --maxmemory-policy allkeys-lru --requirepass "$PASSWORD"
