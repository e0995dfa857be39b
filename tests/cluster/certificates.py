"""A certificate authority of the cluster, and one certificate for every host of its domain."""

from __future__ import annotations

from pathlib import Path

from tests.cluster.kubectl import Kubectl
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
    (FOLDER / "extensions").write_text(
        f"subjectAltName = DNS:{DOMAIN}, DNS:*.{DOMAIN}\nextendedKeyUsage = serverAuth\n"
        "basicConstraints = CA:FALSE\nkeyUsage = digitalSignature\n"
    )
    for name in ("ca", "tls"):
        run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", _key(name))
    authority = FOLDER / "ca.crt"
    run("openssl", "req", "-x509", "-new", "-key", _key("ca"), "-days", DAYS, "-out", authority,
        "-subj", "/CN=MediaPlatform test authority")  # fmt: skip
    run(
        "openssl",
        "req",
        "-new",
        "-key",
        _key("tls"),
        "-out",
        FOLDER / "tls.csr",
        "-subj",
        f"/CN={DOMAIN}",
    )
    run(
        "openssl", "x509", "-req", "-in", FOLDER / "tls.csr", "-out", FOLDER / "tls.crt",
        "-CA", authority, "-CAkey", _key("ca"), "-set_serial", "1", "-days", DAYS,
        "-extfile", FOLDER / "extensions",
    )  # fmt: skip
    AUTHORITY.write_bytes(authority.read_bytes())


def secret(kubectl: Kubectl, namespace: str, name: str) -> None:
    """The certificate as a Secret that an Ingress may name. Raises ClusterError."""
    values = {"tls_crt": FOLDER / "tls.crt", "tls_key": _key("tls")}
    texts = {key: path.read_text() for key, path in values.items()}
    kubectl.secret(namespace, name, "kubernetes.io/tls", **texts)


def _key(name: str) -> Path:
    return FOLDER / f"{name}.key"
