# Stands in for valkey/valkey:8.1 where no registry can be reached.
FROM debian:trixie-slim
RUN groupadd --system --gid 999 valkey && useradd --system --uid 999 --gid 999 --home-dir /data valkey \
 && apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends valkey-server valkey-tools \
 && mkdir -p /data && chown 999:999 /data \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /data
USER 999
CMD ["valkey-server"]
