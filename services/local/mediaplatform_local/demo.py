"""`mediaplatform demo`: two users, real uploads, and a check of everything they should see."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from mediaplatform.errors import MediaPlatformError, Unavailable
from mediaplatform_local.client import Client

AT_ONCE = 4
DONE_S = 120
JPEG_START = b"\xff\xd8\xff"


def samples() -> list[Path]:
    """Those that come with the project."""
    folder = Path(str(files("mediaplatform_local") / "samples"))
    return sorted(folder.glob("*.jpg"))


def run(url: str, chosen: Sequence[Path]) -> int:
    """0 where every step went well, 1 otherwise; prints what a person wants to see."""
    console = Console(highlight=False)
    try:
        with Client(url) as ada, Client(url) as grace:
            _share(console, ada, grace, list(chosen) or samples())
    except MediaPlatformError as fault:
        console.print(f"[red]✗[/] {fault.message}")
        return 1
    console.print(f"[green]✓[/] everything worked; look at it: {url}")
    return 0


def _share(console: Console, ada: Client, grace: Client, paths: list[Path]) -> None:
    names = [client.register(name)["name"] for client, name in ((ada, "Ada"), (grace, "Grace"))]
    console.print(f"[green]✓[/] registered {' and '.join(names)}")
    ids = _upload(console, ada, paths)
    done = {media_id: ada.wait(media_id, seconds=DONE_S, tiers=2) for media_id in ids}
    console.print(_results(ada, done))
    failed = [status for status in done.values() if status["state"] != "ready"]
    if failed:
        raise Unavailable(f"{len(failed)} of {len(done)} failed: {failed[0]['reasonDetail']}")
    first = next(iter(done))
    _see(grace, first)
    _find(console, grace, first)
    before = grace.media(first)["likesCount"]
    for _ in range(2):  # the second changes nothing
        liked = grace.like(first)
    if liked != {"liked": True, "likesCount": before + 1}:
        raise Unavailable(f"the like was not counted once: {liked}")
    console.print(f"[green]✓[/] Grace likes it: {liked['likesCount']}")


def _upload(console: Console, client: Client, paths: list[Path]) -> list[str]:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(),
               TransferSpeedColumn())  # fmt: skip
    with (
        Progress(*columns, console=console) as bars,
        ThreadPoolExecutor(AT_ONCE) as threads,
    ):

        def send(path: Path) -> str:
            bar = bars.add_task(path.name, total=path.stat().st_size)
            return client.upload(path, progress=lambda size: bars.advance(bar, size))

        # The same file twice is one item.
        return list(dict.fromkeys(threads.map(send, paths)))


def _results(client: Client, done: dict[str, dict[str, Any]]) -> Table:
    table = Table("item", "state", "kind", "size", "renditions", "camera", title="uploaded")
    for media_id, status in done.items():
        item = client.media(media_id)
        made = [f"{one['name']} {one['size'] // 1024}K" for one in item["renditions"]]
        size = f"{item['width']}x{item['height']}" if item["width"] else ""
        table.add_row(
            item["title"] or item["fileName"],
            status["state"],
            item["kind"] or "",
            size,
            ", ".join(made) or (status["reasonDetail"] or ""),
            str(item["metadata"].get("cameraModel", "")),
        )
    return table


def _see(stranger: Client, media_id: str) -> None:
    """Another user gets the picture itself, and no position."""
    item = stranger.media(media_id)
    if item["position"] is not None:
        raise Unavailable("another user was told the position")
    jpeg = next(one for one in item["renditions"] if one["format"] == "image/jpeg")
    content = stranger.fetch(jpeg["url"])
    if not content.startswith(JPEG_START) or len(content) != jpeg["size"]:
        raise Unavailable(f"{jpeg['name']} is not the JPEG that was promised")


def _find(console: Console, client: Client, media_id: str) -> None:
    page = client.feed()
    table = Table("feed", "by", "likes", "size")
    for item in page["items"][:10]:
        size = f"{item['width']}x{item['height']}"
        table.add_row(item["title"], item["owner"]["name"], str(item["likesCount"]), size)
    console.print(table)
    if media_id not in [item["id"] for item in page["items"]]:
        raise Unavailable("the new item is not on the first page of the feed")
