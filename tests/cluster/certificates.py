"""A certificate authority of the cluster, and one certificate for every host of its domain."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from tests.cluster import kubectl
from tests.cluster.layout import DOMAIN, STATE
from tests.cluster.run import run

FOLDER = STATE / "tls"
AUTHORITY = STATE / "ca.crt"  # what clients trust
DAYS = "365"


def make() -> None:
    """Keys and certificates, unless they are there. Raises ClusterError."""
    if AUTHORITY.exists():
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    authority = _new_key(FOLDER / "ca.key").with_suffix(".crt")
    run("openssl", "req", "-x509", "-new", "-key", FOLDER / "ca.key", "-days", DAYS,
        "-out", authority, "-subj", "/CN=MediaPlatform test authority")  # fmt: skip
    issue(FOLDER, DOMAIN, f"*.{DOMAIN}")
    AUTHORITY.write_bytes(authority.read_bytes())


def issue(folder: Path, *hosts: str) -> tuple[str, str]:
    """A new certificate and its key, also as tls.crt and tls.key. Raises ClusterError."""
    key, request, certificate = (folder / f"tls.{kind}" for kind in ("key", "csr", "crt"))
    (folder / "extensions").write_text(
        f"subjectAltName = {', '.join(f'DNS:{host}' for host in hosts)}\n"
        "extendedKeyUsage = serverAuth\nbasicConstraints = CA:FALSE\nkeyUsage = digitalSignature\n"
    )
    subject = f"/CN={hosts[0]}"
    run("openssl", "req", "-new", "-key", _new_key(key), "-out", request, "-subj", subject)
    run(
        "openssl", "x509", "-req", "-in", request, "-out", certificate, "-CA", FOLDER / "ca.crt",
        "-CAkey", FOLDER / "ca.key", "-days", DAYS, "-set_serial", str(secrets.randbits(63)),
        "-extfile", folder / "extensions",
    )  # fmt: skip
    return certificate.read_text(), key.read_text()


def secret(namespace: str, name: str) -> dict[str, Any]:
    """The certificate as a Secret that an Ingress may name."""
    texts = {f"tls_{kind}": (FOLDER / f"tls.{kind}").read_text() for kind in ("crt", "key")}
    return kubectl.secret(namespace, name, "kubernetes.io/tls", **texts)


def _new_key(path: Path) -> Path:
    run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path)
    return path
