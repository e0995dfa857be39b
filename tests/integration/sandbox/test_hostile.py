"""Files that are broken or mean harm, through the real sandbox with its real limits."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.support import samples
from tests.support.images import encoded, png_of_zeros, quadrants, truncations
from tests.support.samples import sample

from mediaplatform.errors import Rejected, Unavailable
from mediaplatform_worker.sandbox.client import ProcessSandbox
from mediaplatform_worker.sandbox.limits import Limits

pytestmark = pytest.mark.anyio


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[ProcessSandbox]:
    async with ProcessSandbox(tmp_path / "scratch") as sandbox:
        yield sandbox


async def outcome(sandbox: ProcessSandbox, path: Path) -> str:
    """'ready', or the code of the refusal. Anything else is a failure of the sandbox."""
    try:
        async with sandbox.job(path) as job:
            await job.first_tier()
            await job.second_tier()
    except Rejected as rejected:
        return rejected.code
    return "ready"


def hostile(folder: Path) -> dict[str, set[str]]:
    """Files by name, with the outcomes that are right."""
    photo = encoded(Image.effect_noise((640, 480), 70).convert("RGB"), "JPEG")
    webp = encoded(Image.new("RGB", (8000, 7000)), "WEBP", method=0)
    frames = [Image.new("P", (2000, 2000), number) for number in range(40)]
    gif = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    rolls = random.Random(7)
    flipped = bytearray(photo)
    for _ in range(200):
        flipped[rolls.randrange(len(flipped))] ^= 1 << rolls.randrange(8)
    files: dict[str, tuple[bytes, set[str]]] = {
        "empty.jpg": (b"", {"empty"}),
        "text.jpg": (b"not an image at all", {"unsupported_type"}),
        "page.png": (b"<!doctype html><script>alert(1)</script>", {"unsupported_type"}),
        "drawing.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", {"unsupported_type"}),
        "playlist.mp4": (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", {"unsupported_type"}),
        "archive.jpg": (sample(samples.TEXT_DOCX).read_bytes(), {"unsupported_type"}),
        "film.jpg": (sample(samples.VIDEO_MP4).read_bytes(), {"video_not_supported"}),
        "sound.png": (sample(samples.AUDIO_MP3).read_bytes(), {"audio_not_supported"}),
        "png-bomb.png": (png_of_zeros(16_000, 16_000), {"too_many_pixels"}),
        "webp-bomb.webp": (webp, {"too_many_pixels"}),
        "gif-bomb.gif": (gif, {"ready"}),  # of which one frame is read
        "with-page.jpg": (photo + b"<html><script>alert(1)</script>", {"ready"}),
        "with-archive.jpg": (photo + sample(samples.TEXT_DOCX).read_bytes(), {"ready"}),
        "flipped.jpg": (bytes(flipped), {"ready", "corrupt"}),
        "jpeg-named-png.png": (photo, {"ready"}),
    }
    for number, part in enumerate(truncations(photo, 8)):
        files[f"part-{number}.jpg"] = (part, {"corrupt"})
    for name, (content, _) in files.items():
        (folder / name).write_bytes(content)
    return {name: right for name, (_, right) in files.items()}


async def test_hostile_files_are_refused_and_their_neighbours_are_ready(
    sandbox: ProcessSandbox, tmp_path: Path
) -> None:
    expected = hostile(tmp_path)
    (tmp_path / "good.jpg").write_bytes(encoded(quadrants(), "JPEG"))
    slots = asyncio.Semaphore(4)

    async def run(name: str) -> str:
        async with slots:
            return await outcome(sandbox, tmp_path / name)

    names = [each for name in expected for each in (name, "good.jpg")]
    zygote = sandbox.zygote_pid
    found = await asyncio.gather(*map(run, names))
    wrong = {
        name: code
        for name, code in zip(names, found, strict=True)
        if code not in expected.get(name, {"ready"})
    }
    assert not wrong
    assert sandbox.zygote_pid == zygote
    assert not list((tmp_path / "scratch").glob("*/job-*"))


async def test_a_file_that_takes_too_long_to_compute_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "slow.png"
    path.write_bytes(png_of_zeros(7900, 7900))
    async with ProcessSandbox(tmp_path / "scratch", Limits(cpu_seconds=1)) as sandbox:
        assert await outcome(sandbox, path) == "too_demanding"


async def test_a_file_that_takes_too_much_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(png_of_zeros(7900, 7900))
    limits = Limits(memory_bytes=128 * 1024**2)
    async with ProcessSandbox(tmp_path / "scratch", limits) as sandbox:
        assert await outcome(sandbox, path) == "too_demanding"
        assert await outcome(sandbox, sample(samples.COMPACT_1_MP)) == "ready"


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF", "HEIF", "TIFF", "JPEG"])
async def test_the_largest_image_of_each_kind_fits_into_the_memory(
    sandbox: ProcessSandbox, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "large"
    options: dict[str, dict[str, Any]] = {
        "AVIF": {"speed": 10},
        "WEBP": {"method": 0},
        "JPEG": {"progressive": True},
        "HEIF": {"enc_params": {"preset": "ultrafast"}},
    }
    Image.new("RGB", (6900, 6900), "teal").save(path, kind, **options.get(kind, {}))
    async with sandbox.job(path) as job:
        await job.second_tier()
        assert (await job.exit()).peak_bytes < Limits().memory_bytes


async def test_a_file_that_cannot_be_written_may_be_tried_again(tmp_path: Path) -> None:
    async with ProcessSandbox(tmp_path / "scratch", Limits(file_bytes=1000)) as sandbox:
        with pytest.raises(Unavailable, match="File too large"):
            await outcome(sandbox, sample(samples.COMPACT_1_MP))


def confined(code: str, folder: Path) -> str:
    """What Python code prints inside the limits, in a process that begins as a child does."""
    script = (
        "import os, sys, socket, subprocess, pathlib, encodings.idna, "
        "mediaplatform_worker.sandbox.limits as l\n"
        f"l.confine(l.Limits(), parent={os.getpid()})\n"
        f"try:\n    {code}\n    print('done')\n"
        "except OSError as error:\n    print(type(error).__name__)\n"
    )
    if os.geteuid() == 0:
        os.chown(folder, 65534, 65534)
    from subprocess import run  # noqa: PLC0415

    # Coverage would want to write a file of its own, and be refused.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    done = run(
        [sys.executable, "-c", script],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=plain,
    )
    assert not done.stderr
    return done.stdout.strip()


def test_a_child_taken_over_reaches_nothing_outside_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        attempts = {
            "open('/etc/passwd').read()": "PermissionError",
            f"open('/proc/{os.getpid()}/environ', 'rb').read()": "PermissionError",
            "open('/tmp/left-behind', 'w')": "PermissionError",
            f"socket.create_connection(('127.0.0.1', {port}), 5)": "PermissionError",
            f"os.kill({os.getpid()}, 0)": "PermissionError",
            "subprocess.run(['/bin/true'])": "PermissionError",
            "open('rendition', 'w').write('x')": "done",
        }
        found = {code: confined(code, folder) for code in attempts}
    assert found == attempts
