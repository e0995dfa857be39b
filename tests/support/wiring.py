"""Resources and their wiring on the emulator."""

from __future__ import annotations

from typing import Any

from mediaplatform_local.servers.emulator import Emulator
from mediaplatform_operator.resource.load import parse
from mediaplatform_operator.resource.model import MediaPlatform
from mediaplatform_operator.wiring.clients import Clients
from mediaplatform_operator.wiring.wire import changes, wanted

ORIGIN = "http://127.0.0.1:8080"


def clients_of(emulator: Emulator, key: str, secret: str) -> Clients:
    return Clients.create(
        "us-east-1", endpoint=emulator.endpoint, access_key=key, secret_key=secret
    )


def make(emulator: Emulator, uid: str, **storage: Any) -> MediaPlatform:
    """Of a name nobody else has: the tests share one emulator."""
    spec = {"host": "127.0.0.1", "aws": {"endpoint": emulator.endpoint}, "storage": storage}
    name = f"p{uid[:8]}"
    return parse({"kind": "MediaPlatform", "metadata": {"name": name}, "spec": spec})


def again(root: Clients, resource: MediaPlatform, uid: str) -> list[tuple[str, str]]:
    """What a further run would change: names and settings."""
    planned = changes(root, wanted(root, resource, uid=uid, origin=ORIGIN))
    return [(change.name, change.setting) for change in planned]
