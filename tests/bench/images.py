"""Our images against sharp as its users write it, and against the floor, on camera photos.

CPU seconds, taken in turns within one run: ours of the sandbox's whole child, sharp's of its work
without the start of node, the floor's of decoding and encoding alone.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from mediaplatform_worker.sandbox.client import ENVIRONMENT, ProcessSandbox
from tests.bench.result import Result
from tests.support import samples
from tests.support.images import DISPLAY_P3, matrix_profile
from tests.support.samples import sample

ROUNDS = 7
SIZES = (2048, 1024, 512, 256)
PHOTOS = {
    "12 MP, turned": samples.PHONE_12_MP_TURNED,
    "12 MP": samples.PHONE_12_MP,
    "12 MP, dense, Display P3": samples.PHONE_12_MP_DENSE,
    "20 MP": samples.BIRD_20_MP,
    "24 MP, with a profile": samples.PAINTING_24_MP,
    "8 MP, progressive": samples.SONY_8_MP_PROGRESSIVE,
    "18 MP, progressive": samples.SONY_18_MP_PROGRESSIVE,
}
_SHARP = Path(__file__).parent / "sharp"
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mediaplatform"


@dataclass
class Measured:
    ours: list[float] = field(default_factory=list)  # CPU seconds
    first: list[float] = field(default_factory=list)
    sharp: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)
    peak_bytes: int = 0
    likeness: dict[str, float] = field(default_factory=dict)  # SSIM by rendition
    sizes: dict[str, int] = field(default_factory=dict)  # bytes by rendition

    def ratio(self, one: str, other: str) -> float:
        medians: list[float] = [statistics.median(getattr(self, name)) for name in (one, other)]
        return medians[0] / medians[1]

    def bytes_of(self, format_: str) -> int:
        return sum(size for name, size in self.sizes.items() if name.startswith(format_))


def run() -> list[Result]:
    with tempfile.TemporaryDirectory() as folder:
        measured, resident = asyncio.run(_measure(Path(folder), _install_sharp()))
    return [*_results(measured), Result("zygote, resident", resident / 2**20, "MiB")]


def _results(measured: Mapping[str, Measured]) -> Iterable[Result]:
    for what, (one, other), bar in (
        ("CPU of all renditions / sharp", ("ours", "sharp"), 0.35),
        ("CPU of the first tier / sharp", ("first", "sharp"), 0.15),
        ("CPU of all renditions / floor", ("ours", "floor"), 1.3),
    ):
        ratios = {name: each.ratio(one, other) for name, each in measured.items()}
        worst = "; ".join(f"{name}: {ratio:.2f}" for name, ratio in ratios.items())
        yield Result(what, statistics.mean(ratios.values()), "x", at_most=bar, detail=worst)
    for size in SIZES:
        less = [
            each.likeness[f"webp-{size}"] - each.likeness[f"avif-{size}"]
            for each in measured.values()
        ]
        yield Result(
            f"SSIM of sharp's WebP above our AVIF, {size} px",
            statistics.mean(less),
            "",
            at_most=0.002,
            detail="; ".join(f"{value:.4f}" for value in less),
        )
    for ours, theirs in (("avif", "webp"), ("jpeg", "sharp-jpeg")):
        ratios = {n: each.bytes_of(ours) / each.bytes_of(theirs) for n, each in measured.items()}
        yield Result(
            f"bytes of our {ours} / {theirs.replace('webp', 'sharp-webp')}",
            statistics.mean(ratios.values()),
            "x",
            at_most=1.0 if ours == "avif" else None,
            detail="; ".join(f"{name}: {ratio:.2f}" for name, ratio in ratios.items()),
        )
    peak = measured["24 MP, with a profile"].peak_bytes
    yield Result("child on 24 MP, peak", peak / 2**20, "MiB", at_most=300)


async def _measure(folder: Path, sharp: Path) -> tuple[dict[str, Measured], int]:
    measured = {name: Measured() for name in PHOTOS}
    photos = {name: _photo(name, folder) for name in PHOTOS}
    async with ProcessSandbox(folder / "scratch") as sandbox:
        status = Path(f"/proc/{sandbox.zygote_pid}/statm").read_text()  # noqa: ASYNC240
        resident = int(status.split()[1]) * os.sysconf("SC_PAGE_SIZE")
        for turn in range(ROUNDS):
            for name, photo in photos.items():
                await _ours(sandbox, photo, measured[name], compare=turn == 0)
                _theirs(sharp, photo, folder, measured[name], compare=turn == 0)
                environment = os.environ | ENVIRONMENT
                command = [sys.executable, "-m", "tests.bench.floor", str(photo)]
                done = subprocess.run(command, env=environment, capture_output=True, check=True)  # noqa: ASYNC221
                measured[name].floor.append(float(done.stdout))
            print(f"   round {turn + 1} of {ROUNDS}", file=sys.stderr)
    return measured, resident


async def _ours(sandbox: ProcessSandbox, photo: Path, into: Measured, *, compare: bool) -> None:
    async with sandbox.job(photo) as job:
        first = await job.first_tier()
        second = await job.second_tier()
        end = await job.exit()
        if compare:
            _compare(photo, {file.name: file.path for file in (*first.renditions, *second)}, into)
    into.ours.append(end.cpu_seconds)
    into.peak_bytes = max(into.peak_bytes, end.peak_bytes)
    async with sandbox.job(photo) as job:  # killed as soon as its first tier is there
        await job.first_tier()
    into.first.append((await job.exit()).cpu_seconds)


def _theirs(sharp: Path, photo: Path, folder: Path, into: Measured, *, compare: bool) -> None:
    command = ["node", str(sharp / "resize.mjs"), str(photo), str(folder)]
    done = subprocess.run(command, capture_output=True, check=True)
    into.sharp.append(json.loads(done.stdout)["cpuSeconds"])
    if compare:
        names = {f"webp-{size}": f"webp-{size}" for size in SIZES}
        names |= {f"sharp-jpeg-{size}": f"jpeg-{size}" for size in SIZES}
        _compare(photo, {name: folder / path for name, path in names.items()}, into)


def _photo(name: str, folder: Path) -> Path:
    path = sample(PHOTOS[name])
    if "Display P3" not in name:
        return path
    profile = b"ICC_PROFILE\0\x01\x01" + matrix_profile(DISPLAY_P3, 2.2, "Display P3")
    content = path.read_bytes()
    tagged = folder / "display-p3.jpg"
    segment = b"\xff\xe2" + (len(profile) + 2).to_bytes(2, "big") + profile
    tagged.write_bytes(content[:2] + segment + content[2:])
    return tagged


def _install_sharp() -> Path:
    """The folder that holds sharp, installed from the lock beside this file."""
    lock = hashlib.sha256((_SHARP / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = _CACHE / f"sharp-{lock}"
    if not (folder / "installed").exists():
        shutil.copytree(_SHARP, folder, dirs_exist_ok=True)
        subprocess.run(["npm", "ci", "--silent"], cwd=folder, check=True)
        (folder / "installed").touch()
    shutil.copy(_SHARP / "resize.mjs", folder)
    return folder


def _compare(photo: Path, files: Mapping[str, Path], into: Measured) -> None:
    """Each rendition with the photo decoded in full and resized at once, both in sRGB."""
    with Image.open(photo) as image:
        profile = image.info.get("icc_profile")
        whole = ImageOps.exif_transpose(image).convert("RGB")
    if profile:
        target = ImageCms.createProfile("sRGB")
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
        ImageCms.profileToProfile(whole, source, target, intent, inPlace=True)
    for name, path in files.items():
        into.sizes[name] = path.stat().st_size
        with Image.open(path) as made:
            reference = whole.resize(made.size, Image.Resampling.LANCZOS)
            into.likeness[name] = ssim(made, reference)


def ssim(one: Image.Image, other: Image.Image) -> float:
    """Mean structural similarity of lightness (Wang et al. 2004: Gaussian of 11, sigma 1.5)."""
    x, y = (np.asarray(each.convert("L"), np.float64) for each in (one, other))
    mean_x, mean_y = _blur(x), _blur(y)
    var_x, var_y = _blur(x * x) - mean_x**2, _blur(y * y) - mean_y**2
    covariance = _blur(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    top = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    return float((top / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))).mean())


def _blur(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    weights = np.exp(-((np.arange(11) - 5.0) ** 2) / (2 * 1.5**2))
    weights /= weights.sum()
    for axis in (0, 1):
        windows = np.lib.stride_tricks.sliding_window_view(plane, len(weights), axis)
        plane = windows @ weights
    return plane
