"""`mediaplatform status`: processes, queues and items, as they are now."""

from __future__ import annotations

import contextlib

import psutil
import psycopg
from rich.console import Console
from rich.table import Table

from mediaplatform_local.servers.emulator import ROOT_KEY
from mediaplatform_local.state import Running, State
from mediaplatform_operator.wiring.clients import Clients, refusals

DEPTHS = {
    "visible": "ApproximateNumberOfMessages",
    "in flight": "ApproximateNumberOfMessagesNotVisible",
    "delayed": "ApproximateNumberOfMessagesDelayed",
}


def show(state: State, running: Running) -> int:
    """Print it; 1 where a process that should run does not."""
    console = Console()
    console.print(f"{running.url}  (S3 and SQS: {running.endpoint}, data: {state.folder})")
    processes = Table("process", "pid", "memory", "threads", box=None)
    dead = 0
    for name, pid in running.processes.items():
        row = _process(pid)
        dead += row is None
        processes.add_row(name, str(pid), *(row or ("[red]gone", "")))
    console.print(processes)
    queues = Table("queue", *DEPTHS, box=None)
    for name, url in (
        ("ingest", running.ingest_queue_url),
        ("ingest dead", running.ingest_dead_url),
    ):
        queues.add_row(name, *_depths(state, running, url))
    console.print(queues)
    items = Table("items", "count", box=None)
    with psycopg.connect(running.database_url, connect_timeout=5) as connection:
        for found in connection.execute("SELECT state, count(*) FROM media GROUP BY 1 ORDER BY 1"):
            items.add_row(found[0], str(found[1]))
    console.print(items)
    return 1 if dead else 0


def _process(pid: int) -> tuple[str, str] | None:
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return None
    memory = threads = 0
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):  # a child may end at any moment
            memory += member.memory_info().rss
            threads += member.num_threads()
    return f"{memory / 1024**2:.0f} MiB", str(threads)


def local_clients(state: State, running: Running) -> Clients:
    """The emulator's root."""
    return Clients.create(
        "us-east-1",
        endpoint=running.endpoint,
        access_key=ROOT_KEY,
        secret_key=state.secrets()["emulator"],
    )


def _depths(state: State, running: Running, url: str) -> list[str]:
    clients = local_clients(state, running)
    with refusals("the queues"):
        answer = clients.sqs.get_queue_attributes(
            QueueUrl=url, AttributeNames=list(DEPTHS.values())
        )
    return [answer["Attributes"].get(name, "?") for name in DEPTHS.values()]
