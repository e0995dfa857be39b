"""What each command of `mediaplatform` does."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import time
from functools import partial
from pathlib import Path

from rich.console import Console

from mediaplatform.errors import Conflict, InvalidInput
from mediaplatform_local.state import Running, State
from mediaplatform_local.steps import Steps
from mediaplatform_operator.resource.load import load, parse
from mediaplatform_operator.resource.model import MediaPlatform

EVALUATION = {
    "kind": "MediaPlatform",
    "metadata": {"name": "photos"},
    "spec": {"host": "127.0.0.1", "queues": {"visibilitySeconds": 30}},
}
LOOK_S = 0.3


def up(arguments: argparse.Namespace) -> int:
    from mediaplatform_local.platform import Platform  # noqa: PLC0415  (boto3: only here)

    resource = _resource(arguments.file)
    if not 1 <= arguments.port <= 65534:
        raise InvalidInput(f"--port: got {arguments.port}, wants 1 to 65534")
    console = Console(stderr=True, highlight=False)
    state = State(arguments.state)
    state.open()
    try:
        say = partial(console.print, markup=False, soft_wrap=True)
        platform = Platform(resource, state, port=arguments.port, say=say, step=Steps(console))
        try:
            platform.start()
            print(f"ready {platform.url}", flush=True)
            platform.run()
        except KeyboardInterrupt:
            console.print("stopping")
        finally:
            # Another Ctrl-C does not leave half of it running.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            platform.stop()
    finally:
        state.close()
    return 0


def status(arguments: argparse.Namespace) -> int:
    if _on_cluster(arguments):
        from mediaplatform_local.cluster import commands  # noqa: PLC0415

        return commands.status(arguments)
    from mediaplatform_local.status import show  # noqa: PLC0415

    state = State(arguments.state)
    return show(state, _running(state))


def logs(arguments: argparse.Namespace) -> int:
    state = State(arguments.state)
    there = sorted(path.stem for path in state.logs.glob("*.log"))
    unknown = set(arguments.component) - set(there)
    if unknown or not there:
        which, names = ", ".join(sorted(unknown)) or "anything", ", ".join(there) or "none yet"
        raise InvalidInput(f"no logs of {which}; there are: {names}")
    chosen = [state.log(name) for name in arguments.component or there]
    width = max(len(path.stem) for path in chosen)
    offsets = {path: _tail(path, arguments.lines, width) for path in chosen}
    while arguments.follow:
        time.sleep(LOOK_S)
        offsets = {path: _follow(path, offset, width) for path, offset in offsets.items()}
    return 0


def demo(arguments: argparse.Namespace) -> int:
    from mediaplatform_local.demo import run  # noqa: PLC0415

    missing = [str(path) for path in arguments.files if not path.is_file()]
    if missing:
        raise InvalidInput(f"no such file: {', '.join(missing)}")
    return run(_running(State(arguments.state)).url, arguments.files)


def reset(arguments: argparse.Namespace) -> int:
    state = State(arguments.state)
    if not state.is_ours():
        raise InvalidInput(f"{state.folder} holds no data of a platform")
    if state.is_running():
        raise Conflict(f"{state.folder} is in use: stop the platform first")
    if not arguments.yes:
        print(f"Delete every user, photo and log in {state.folder}? [y/N] ", end="", flush=True)
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            print("nothing was deleted")
            return 1
    shutil.rmtree(state.folder)
    print(f"deleted {state.folder}")
    return 0


def policies(arguments: argparse.Namespace) -> int:
    from mediaplatform_local.redrive import policy as redrivers  # noqa: PLC0415
    from mediaplatform_operator.wiring.iam import COMPONENTS, policy  # noqa: PLC0415
    from mediaplatform_operator.wiring.names import Names  # noqa: PLC0415

    resource = load(arguments.file)
    if resource.spec.storage.name is None:
        raise InvalidInput("spec.storage.name: is missing; policies need the buckets' names")
    names = Names.of(resource, uid="", account=arguments.account)
    purge = resource.spec.storage.deletion == "DeleteWithData"
    every = {name: policy(name, names, purge=purge) for name in COMPONENTS}
    print(json.dumps({**every, "redrive": redrivers(names)}, indent=2))
    return 0


def redrive(arguments: argparse.Namespace) -> int:
    from mediaplatform_local.redrive import Redrive, carry_out  # noqa: PLC0415

    if arguments.max is not None and arguments.max < 1:
        raise InvalidInput(f"--max: got {arguments.max}, wants 1 or more")
    if _on_cluster(arguments):
        from mediaplatform_local.cluster import commands  # noqa: PLC0415

        return commands.redrive(arguments)
    from mediaplatform_local.status import local_clients  # noqa: PLC0415

    state = State(arguments.state)
    running = _running(state)
    queue = running.ingest_queue_url.rpartition("/")[2].removesuffix("ingest") + arguments.queue
    way = Redrive(local_clients(state, running), f"{queue}-dead", queue)
    carry_out(way, arguments.max, dry_run=arguments.dry_run)
    return 0


def plan(arguments: argparse.Namespace) -> int:
    from mediaplatform_local.cluster import commands  # noqa: PLC0415

    return commands.plan(arguments)


def events(arguments: argparse.Namespace) -> int:
    from mediaplatform_local.cluster import commands  # noqa: PLC0415

    return commands.events(arguments)


def _on_cluster(arguments: argparse.Namespace) -> bool:
    """A name is a resource's on a cluster; without one this machine is meant."""
    if arguments.name is None and (
        arguments.namespace or arguments.context or arguments.kubeconfig or arguments.aws_endpoint
    ):
        raise InvalidInput("flags of a cluster were given: name the resource, too")
    return arguments.name is not None


def _resource(path: Path | None) -> MediaPlatform:
    return parse(EVALUATION) if path is None else load(path)


def _running(state: State) -> Running:
    running = state.running()
    if running is None or not state.is_running():
        raise Conflict(f"nothing runs in {state.folder}: start it with `mediaplatform up`")
    return running


def _tail(path: Path, lines: int, width: int) -> int:
    content = path.read_bytes()
    for line in content.decode(errors="replace").splitlines()[-lines:]:
        print(f"{path.stem:{width}}  {line}")
    return len(content)


def _follow(path: Path, offset: int, width: int) -> int:
    with path.open("rb") as file:
        if file.seek(0, 2) < offset:
            offset = 0  # it was put aside and begun anew
        file.seek(offset)
        content = file.read()
    whole, newline, _ = content.rpartition(b"\n")
    for line in whole.decode(errors="replace").splitlines():
        print(f"{path.stem:{width}}  {line}", flush=True)
    return offset + len(whole) + len(newline)
