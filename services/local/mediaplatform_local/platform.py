"""The whole platform of one resource on this machine: servers, wiring, migrations, services."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from mediaplatform.errors import Conflict
from mediaplatform.platform.migrate import migrate
from mediaplatform.platform.settings import Settings
from mediaplatform_local.leftovers import clear
from mediaplatform_local.process import Program
from mediaplatform_local.servers.emulator import ROOT_KEY, Emulator
from mediaplatform_local.servers.ports import HOST, answers, free_port, is_taken
from mediaplatform_local.servers.postgres import Postgres
from mediaplatform_local.servers.valkey import Valkey
from mediaplatform_local.state import Running, State
from mediaplatform_local.supervisor import Supervisor
from mediaplatform_operator.resource.model import MediaPlatform
from mediaplatform_operator.wiring.clients import Clients
from mediaplatform_operator.wiring.environment import settings as shared_settings
from mediaplatform_operator.wiring.iam import ensure_user
from mediaplatform_operator.wiring.wire import Wired, wire

SERVICES = {
    "api": ("-m", "mediaplatform_api"),
    "ingest": ("-m", "mediaplatform_worker", "ingest"),
    "sweep": ("-m", "mediaplatform_worker", "sweep"),
}
SERVERS = ("s3+sqs", "valkey", "postgres")
READY_S = 30
SERVICES_STOP_S = 6.0  # together with the servers' below ten seconds
SERVERS_STOP_S = 3.0
DRAIN_S = 4
SWEEP_S = 10
TICK_S = 0.2

Step = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True)
class Servers:
    postgres: Postgres
    valkey: Valkey
    emulator: Emulator

    @classmethod
    def of(cls, state: State, *, s3_port: int) -> Servers:
        secrets = state.secrets()
        return cls(
            Postgres(state.folder / "postgres", free_port(), secrets["postgres"]),
            Valkey(state.folder / "valkey", free_port(), secrets["valkey"]),
            Emulator(state.folder / "emulator", s3_port, secrets["emulator"]),
        )


class Platform:
    """`start` until ready, `run` until interrupted, `stop` in any case."""

    def __init__(
        self,
        resource: MediaPlatform,
        state: State,
        *,
        port: int,
        say: Callable[[str], None],
        step: Step,
    ) -> None:
        self.url = f"http://{HOST}:{port}"
        self._state, self._port, self._say, self._step = state, port, say, step
        self._supervisor = Supervisor(say)
        for taken in (port, port + 1):
            if is_taken(taken):
                what = "the page" if taken == port else "S3"
                raise Conflict(f"port {taken}, for {what}, is in use: choose another by --port")
        self._servers = Servers.of(state, s3_port=port + 1)
        endpoint = self._servers.emulator.endpoint
        aws = resource.spec.aws.model_copy(
            update={"endpoint": endpoint, "public_endpoint": endpoint}
        )
        spec = resource.spec.model_copy(update={"aws": aws})
        self._resource = resource.model_copy(update={"spec": spec})
        self._metrics: Mapping[str, int] = {}

    def start(self) -> None:
        """Raises Unavailable, Conflict or NotAllowed with what went wrong."""
        before = self._state.running()
        if before is not None:
            with self._step("clearing what was left behind"):
                clear(before.processes, folder=str(self._state.folder))
        self._start_servers()
        with self._step("buckets, queues and policies"):
            wired = self._wire()
        with self._step("database schema"):
            asyncio.run(migrate(self._servers.postgres.url))
        with self._step("api, ingest, sweep"):
            self._start_services(wired)

    def run(self) -> None:
        """Keep everything running until the process is interrupted."""
        while True:
            time.sleep(TICK_S)
            started = self._supervisor.tick()
            if "s3+sqs" in started:
                # What it had not saved is gone: queues and users are made again.
                self._supervisor.stop(SERVICES, seconds=SERVICES_STOP_S)
                self._servers.emulator.wait_ready(self._supervisor.process("s3+sqs"))
                self._start_services(self._wire())
            elif started:
                self._announce(self._wired)

    def stop(self) -> None:
        """Services first, so that they can hand back what they have; then the servers."""
        self._supervisor.stop(SERVICES, seconds=SERVICES_STOP_S)
        self._supervisor.stop(seconds=SERVERS_STOP_S)

    def _start_servers(self) -> None:
        servers = self._servers
        with self._step("S3 and SQS"):
            servers.emulator.prepare()
            emulator = self._supervisor.start(servers.emulator.program, self._state.log("s3+sqs"))
        with self._step("Valkey"):
            servers.valkey.prepare()
            valkey = self._supervisor.start(servers.valkey.program, self._state.log("valkey"))
        with self._step("PostgreSQL"):
            servers.postgres.prepare()
            postgres = self._supervisor.start(servers.postgres.program, self._state.log("postgres"))
        with self._step("waiting for the servers"):
            servers.postgres.wait_ready(postgres)
            servers.valkey.wait_ready(valkey)
            servers.emulator.wait_ready(emulator)

    def _wire(self) -> Wired:
        self._clients = Clients.create(
            self._resource.spec.aws.region,
            endpoint=self._servers.emulator.endpoint,
            access_key=ROOT_KEY,
            secret_key=self._servers.emulator.root_secret,
        )
        uid = self._state.secrets()["uid"]
        self._wired = wire(self._clients, self._resource, uid=uid, origin=self.url)
        return self._wired

    def _start_services(self, wired: Wired) -> None:
        self._metrics = {name: free_port() for name in SERVICES}
        scratch = self._state.folder / "scratch"
        scratch.mkdir(exist_ok=True)
        started = [
            self._supervisor.start(self._program(name, wired, scratch), self._state.log(name))
            for name in SERVICES
        ]
        self._announce(wired)
        for process in started:
            name = process.program.name
            url = self.url if name == "api" else f"http://{HOST}:{self._metrics[name]}"
            process.wait_until(partial(answers, f"{url}/health/ready"), READY_S)

    def _program(self, name: str, wired: Wired, scratch: Path) -> Program:
        """Under credentials of its own, with what it needs and no more."""
        key = ensure_user(self._clients, wired.names, name)
        settings = replace(
            self._settings(wired),
            metrics_port=self._metrics[name],
            scratch_folder=str(scratch),
            token_secret=self._state.secrets()["token"] if name == "api" else "",
        )
        environment = settings.to_environment() | {
            "AWS_ACCESS_KEY_ID": key.id,
            "AWS_SECRET_ACCESS_KEY": key.secret,
        }
        return Program(name, (sys.executable, *SERVICES[name]), environment)

    def _settings(self, wired: Wired) -> Settings:
        settings = shared_settings(
            self._resource,
            wired,
            public_url=self.url,
            database_url=self._servers.postgres.url,
            redis_url=self._servers.valkey.url,
        )
        return replace(
            settings,
            port=self._port,
            worker_slots=max(2, os.cpu_count() or 2),
            drain_seconds=DRAIN_S,
            sweep_seconds=SWEEP_S,
        )

    def _announce(self, wired: Wired) -> None:
        self._state.announce(
            Running(
                pid=os.getpid(),
                url=self.url,
                endpoint=self._servers.emulator.endpoint,
                metrics=dict(self._metrics),
                processes=self._supervisor.pids,
                database_url=self._servers.postgres.url,
                ingest_queue_url=wired.ingest_queue_url,
                ingest_dead_url=wired.ingest_dead_url,
            )
        )
