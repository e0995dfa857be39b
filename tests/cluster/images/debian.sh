#!/bin/sh
# debian.sh FOLDER ARCHIVE: what debian:trixie-slim holds, made by debootstrap.
set -eu
debootstrap --variant=minbase trixie "$1" >&2
rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/* "$1"/var/log/* "$1"/dev/* "$1"/usr/share/doc/* \
  "$1"/usr/share/man/* "$1"/usr/share/info/* "$1"/usr/share/locale/*
cat > "$1/etc/dpkg/dpkg.cfg.d/slim" <<'CONF'
path-exclude /usr/share/doc/*
path-exclude /usr/share/man/*
path-exclude /usr/share/info/*
path-exclude /usr/share/locale/*
CONF
cat > "$1/etc/apt/apt.conf.d/slim" <<'CONF'
Acquire::Languages "none";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb || true"; };
CONF
printf '#!/bin/sh\nexit 101\n' > "$1/usr/sbin/policy-rc.d"
chmod 755 "$1/usr/sbin/policy-rc.d"
tar -C "$1" --one-file-system -cf "$2" .
