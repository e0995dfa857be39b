"""The real zygote and its real children. Files that attack it are in test_hostile.py."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.support import samples
from tests.support.images import encoded, exif, quadrants
from tests.support.samples import sample
from tests.support.waiting import eventually

from mediaplatform.errors import Rejected, Unavailable
from mediaplatform.media.model import Kind
from mediaplatform_worker.sandbox import client
from mediaplatform_worker.sandbox.client import ProcessSandbox
from mediaplatform_worker.sandbox.limits import Limits

pytestmark = pytest.mark.anyio


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[ProcessSandbox]:
    async with ProcessSandbox(tmp_path / "scratch") as sandbox:
        yield sandbox


def saved(folder: Path, content: bytes, name: str = "upload") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.fixture
def endless(tmp_path: Path) -> Iterator[Path]:
    """A file that can be read for ever."""
    path = tmp_path / "endless"
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR)
    yield path
    os.close(writer)


def status_of(pid: int | None, name: str = "status") -> str:
    return Path(f"/proc/{pid}/{name}").read_text()


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # before it was opened, or while being read
        return False


async def child_of(sandbox: ProcessSandbox) -> int:
    async def forked() -> bool:
        return bool(children(zygote_of(sandbox)))

    await eventually(forked)
    return children(zygote_of(sandbox))[0]


async def gone(pid: int) -> None:
    async def dead() -> bool:
        return not alive(pid)

    await eventually(dead)


def zygote_of(sandbox: ProcessSandbox) -> int:
    assert sandbox.zygote_pid is not None
    return sandbox.zygote_pid


async def test_a_photo_comes_back_in_two_tiers(sandbox: ProcessSandbox) -> None:
    async with sandbox.job(sample(samples.PHONE_12_MP_TURNED)) as job:
        first = await job.first_tier()
        second = await job.second_tier()
        assert first.inspection.kind is Kind.IMAGE
        assert first.inspection.detected_type == "image/jpeg"
        assert (first.inspection.width, first.inspection.height) == (4000, 3000)
        assert first.inspection.metadata["cameraModel"] == "Mi A3"
        assert first.inspection.position
        assert first.inspection.taken_at
        assert [file.name for file in first.renditions] == [
            "jpeg-2048",
            "jpeg-1024",
            "jpeg-512",
            "jpeg-256",
        ]
        assert [file.width for file in second] == [2000, 1024, 512, 256]
        for file in (*first.renditions, *second):
            assert file.path.stat().st_size == file.size > 0
        end = await job.exit()
    assert end.status == 0
    assert end.peak_bytes < 300 * 1024**2
    assert not first.renditions[0].path.exists()


async def test_the_second_tier_alone_can_be_asked_for(
    sandbox: ProcessSandbox, tmp_path: Path
) -> None:
    async with sandbox.job(saved(tmp_path, encoded(quadrants(), "PNG")), first_tier=False) as job:
        assert [file.name for file in await job.second_tier()] == ["avif-512", "avif-256"]
        with pytest.raises(Unavailable):
            await job.first_tier()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "HEIF", "MPO"])
async def test_every_format_is_read_without_a_look_outside(
    sandbox: ProcessSandbox, tmp_path: Path, kind: str
) -> None:
    options = {} if kind == "GIF" else {"exif": exif(3, position=True).tobytes()}
    async with sandbox.job(saved(tmp_path, encoded(quadrants(), kind, **options))) as job:
        assert (await job.first_tier()).inspection.width == 300
        assert await job.second_tier()


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits"])
async def test_compressed_tiffs_are_read(
    sandbox: ProcessSandbox, tmp_path: Path, compression: str
) -> None:
    content = encoded(quadrants(), "TIFF", compression=compression)
    async with sandbox.job(saved(tmp_path, content)) as job:
        assert (await job.first_tier()).inspection.width == 300


async def test_a_refusal_names_its_reason_for_both_tiers(
    sandbox: ProcessSandbox, tmp_path: Path
) -> None:
    async with sandbox.job(saved(tmp_path, b"<svg/>")) as job:
        for tier in (job.first_tier, job.second_tier):
            with pytest.raises(Rejected, match="Upload JPEG") as refused:
                await tier()
            assert refused.value.code == "unsupported_type"


async def test_jobs_run_side_by_side(sandbox: ProcessSandbox, tmp_path: Path) -> None:
    async def one(number: int) -> int:
        path = saved(tmp_path, encoded(quadrants(200 + number, 90), "PNG"), f"upload-{number}")
        async with sandbox.job(path) as job:
            await job.second_tier()
            return (await job.first_tier()).inspection.width

    assert await asyncio.gather(*map(one, range(12))) == [200 + number for number in range(12)]


async def test_leaving_a_job_kills_its_process_and_removes_its_files(
    sandbox: ProcessSandbox, tmp_path: Path, endless: Path
) -> None:
    async with sandbox.job(endless):
        pid = await child_of(sandbox)
        assert alive(pid)
    assert not alive(pid)
    assert not [path for path in (tmp_path / "scratch").rglob("*") if path.name.startswith("job-")]


async def test_a_job_that_is_cancelled_leaves_nothing(
    sandbox: ProcessSandbox, tmp_path: Path, endless: Path
) -> None:
    started = asyncio.Event()

    async def work() -> None:
        async with sandbox.job(endless) as job:
            started.set()
            await job.first_tier()

    task = asyncio.create_task(work())
    await started.wait()
    pid = await child_of(sandbox)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await gone(pid)
    assert not list((tmp_path / "scratch").glob("*/job-*"))


async def test_a_child_that_is_killed_may_be_tried_again(
    sandbox: ProcessSandbox, endless: Path
) -> None:
    async with sandbox.job(endless) as job:
        os.kill(await child_of(sandbox), signal.SIGKILL)
        with pytest.raises(Unavailable, match="SIGKILL"):
            await job.first_tier()
        assert (await job.exit()).status == -signal.SIGKILL


async def test_a_child_that_hangs_is_killed_by_its_group(tmp_path: Path, endless: Path) -> None:
    limits = Limits(wall_seconds=1.0)
    async with ProcessSandbox(tmp_path / "scratch", limits) as sandbox, sandbox.job(endless) as job:
        pid = await child_of(sandbox)

        async def leads_a_group() -> bool:
            return os.getpgid(pid) == pid

        await eventually(leads_a_group)
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(Unavailable, match="not done in 1 seconds"):
            await job.first_tier()
        await gone(pid)


async def test_a_zygote_that_dies_takes_its_children_along_and_is_replaced(
    sandbox: ProcessSandbox, tmp_path: Path, endless: Path
) -> None:
    lost = zygote_of(sandbox)
    async with sandbox.job(endless) as job:
        pid = await child_of(sandbox)
        os.kill(lost, signal.SIGKILL)
        with pytest.raises(Unavailable, match="was lost"):
            await job.first_tier()
        await gone(pid)
    async with sandbox.job(saved(tmp_path, encoded(quadrants(), "PNG"))) as job:
        assert await job.second_tier()
    assert sandbox.zygote_pid != lost


async def test_a_zygote_that_hangs_is_replaced(
    sandbox: ProcessSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "KILL_SECONDS", 0.2)
    stuck = zygote_of(sandbox)
    os.kill(stuck, signal.SIGSTOP)
    async with sandbox.job(saved(tmp_path, encoded(quadrants(), "PNG"))):
        pass
    async with sandbox.job(saved(tmp_path, encoded(quadrants(), "PNG"))) as job:
        assert await job.second_tier()
    assert sandbox.zygote_pid != stuck


async def test_children_die_with_the_worker(tmp_path: Path, endless: Path) -> None:
    script = f"""
import asyncio, pathlib
from mediaplatform_worker.sandbox.client import ProcessSandbox

async def main():
    async with ProcessSandbox(pathlib.Path({str(tmp_path / "scratch")!r})) as sandbox:
        async with sandbox.job(pathlib.Path({str(endless)!r})):
            children = ""
            while not children:
                zygote = pathlib.Path(f"/proc/{{sandbox.zygote_pid}}")
                children = (zygote / "task" / zygote.name / "children").read_text()
            print(sandbox.zygote_pid, children, flush=True)
            await asyncio.sleep(60)

asyncio.run(main())
"""
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=subprocess.PIPE
    )
    assert worker.stdout
    pids = [int(each) for each in (await worker.stdout.readline()).split()]
    assert len(pids) == 2
    worker.kill()
    await worker.wait()
    for pid in pids:
        await gone(pid)
    assert list((tmp_path / "scratch").glob("*/job-*"))
    async with ProcessSandbox(tmp_path / "scratch"):
        assert not list((tmp_path / "scratch").glob("*/job-*"))
    assert not list((tmp_path / "scratch").iterdir())


async def test_two_workers_can_share_a_scratch_folder(tmp_path: Path) -> None:
    path = saved(tmp_path, encoded(quadrants(), "PNG"))
    async with ProcessSandbox(tmp_path / "scratch") as one, one.job(path) as job:
        first = await job.first_tier()
        async with ProcessSandbox(tmp_path / "scratch") as other, other.job(path) as again:
            await again.first_tier()
        assert first.renditions[0].path.exists()


async def test_a_sandbox_holds_no_secret_and_is_small(
    sandbox: ProcessSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = status_of(sandbox.zygote_pid, "environ")
    assert [entry.partition("=")[0] for entry in environment.split("\0") if entry] == [
        "GLIBC_TUNABLES"
    ]
    status = status_of(sandbox.zygote_pid)
    assert int(status.partition("VmRSS:")[2].split()[0]) < 40 * 1024
    assert "Threads:\t1" in status


async def test_a_child_is_confined(sandbox: ProcessSandbox, endless: Path) -> None:
    async with sandbox.job(endless):
        pid = await child_of(sandbox)

        async def confined() -> bool:
            return "NoNewPrivs:\t1" in status_of(pid)

        await eventually(confined)
        limits = status_of(pid, "limits")
        assert status_of(pid, "oom_score_adj").strip() == "1000"
        status = status_of(pid)
        open_files = len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208
        working = os.readlink(f"/proc/{pid}/cwd")  # noqa: PTH115
    rows = {line[:26].strip(): line[26:].split()[0] for line in limits.splitlines()}
    given = Limits()
    assert int(rows["Max cpu time"]) == given.cpu_seconds
    assert int(rows["Max file size"]) == given.file_bytes
    assert int(rows["Max open files"]) == given.open_files
    assert int(rows["Max core file size"]) == 0
    assert given.memory_bytes < int(rows["Max address space"]) < given.memory_bytes + 256 * 1024**2
    assert open_files <= 6
    assert "/job-" in working
    if os.geteuid() == 0:
        assert "Uid:\t65534\t65534\t65534\t65534" in status


async def test_a_worker_that_cannot_start_a_zygote_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(Unavailable, match="did not start"):
        async with ProcessSandbox(tmp_path / "scratch"):
            pytest.fail("it started")
    assert not list((tmp_path / "scratch").iterdir())


def test_limits_can_be_replaced_one_by_one() -> None:
    assert dataclasses.replace(Limits(), cpu_seconds=1).memory_bytes == Limits().memory_bytes
