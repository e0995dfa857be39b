"""The Secrets that the operator makes: what is generated once, and what follows from it.

What is generated is held twice, in `{name}-generated` and where it is used, so that a Secret that
somebody deletes comes back as it was and restarts nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from mediaplatform_operator.cluster.objects import Object, encoded
from mediaplatform_operator.resource.model import MediaPlatform

BYTES = 24
DATABASE = "mediaplatform"
POSTGRES_PORT = 5432
REDIS_PORT = 6379


@dataclass(frozen=True)
class Generated:
    token_secret: str
    database_password: str
    redis_password: str

    def checksum(self, *parts: str) -> str:
        """Changes with any part, and tells nobody what they are."""
        key = self.token_secret.encode()
        return hmac.new(key, "\0".join(parts).encode(), hashlib.sha256).hexdigest()[:16]


def generated(
    kept: Mapping[str, str],
    *,
    tokens: Mapping[str, str],
    database: Mapping[str, str],
    redis: Mapping[str, str],
) -> Generated:
    """From `{name}-generated` and the Secrets in use; new only where neither has it."""
    return Generated(
        kept.get("tokenSecret") or tokens.get("secret") or secrets.token_urlsafe(BYTES * 2),
        kept.get("databasePassword") or _password(database) or secrets.token_urlsafe(BYTES),
        kept.get("redisPassword") or _password(redis) or secrets.token_urlsafe(BYTES),
    )


def _password(secret: Mapping[str, str]) -> str:
    return unquote(urlsplit(secret.get("url", "")).password or "")


def manifests(resource: MediaPlatform, made: Generated) -> list[Object]:
    """All Secrets of the resource but those of AWS users."""
    name, spec = resource.metadata.name, resource.spec
    kept = {"tokenSecret": made.token_secret}
    found = [secret(f"{name}-tokens", {"secret": made.token_secret})]
    if spec.database.external is None:
        url = (
            f"postgresql://{DATABASE}:{made.database_password}@{name}-db:{POSTGRES_PORT}/{DATABASE}"
        )
        kept["databasePassword"] = made.database_password
        values = {"url": url, "password": made.database_password}
        found.append(secret(f"{name}-db", values))
    if spec.redis.external is None:
        url = f"redis://:{made.redis_password}@{name}-redis:{REDIS_PORT}/0"
        kept["redisPassword"] = made.redis_password
        values = {"url": url, "password": made.redis_password}
        found.append(secret(f"{name}-redis", values))
    return [secret(f"{name}-generated", kept), *found]


def where(url: str) -> str:
    """A server's address without what is secret."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}{parts.path}"


def database_secret(resource: MediaPlatform) -> str:
    external = resource.spec.database.external
    return external.secret if external else f"{resource.metadata.name}-db"


def redis_secret(resource: MediaPlatform) -> str:
    external = resource.spec.redis.external
    return external.secret if external else f"{resource.metadata.name}-redis"


def secret(name: str, values: Mapping[str, str]) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {"name": name},
        "data": encoded(values),
    }
