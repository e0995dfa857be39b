"""The worker's side of the sandbox: jobs of a zygote that is replaced when it is lost."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

from mediaplatform.errors import MediaPlatformError, Rejected, Unavailable
from mediaplatform_worker.images.model import RenditionFile
from mediaplatform_worker.sandbox.limits import NOBODY, Limits
from mediaplatform_worker.sandbox.port import FirstTier
from mediaplatform_worker.sandbox.scratch import Scratch
from mediaplatform_worker.sandbox.wire import (
    MAX_LINE,
    TOO_DEMANDING,
    Exit,
    Failure,
    Refusal,
    Request,
    SecondTier,
    decode,
    encode,
)

# Nothing of the worker's own. Large pages save a tenth of a job's time where the kernel has them.
ENVIRONMENT = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
START_SECONDS = 20.0
KILL_SECONDS = 5.0  # for the zygote to end a job, before it is taken for lost itself


class ProcessSandbox:
    """Used as an async context manager, by one event loop.

    `scratch` is the folder that the folders of jobs are made in; what an earlier process left
    there when it was killed is removed.
    """

    def __init__(self, scratch: Path, limits: Limits | None = None) -> None:
        self._scratch = Scratch(scratch)
        self._limits = limits or Limits()
        self._zygote: _Zygote | None = None
        self._starting = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self._scratch.open()
        try:
            await self._living_zygote()
        except BaseException:
            self._scratch.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._zygote:
            await self._zygote.close()
        self._scratch.close()

    @property
    def folder(self) -> Path:
        """For temporary files that must not outlive this process, however it ends."""
        return self._scratch.folder

    @property
    def zygote_pid(self) -> int | None:
        return self._zygote.process.pid if self._zygote else None

    @asynccontextmanager
    async def job(self, source: Path, *, first_tier: bool = True) -> AsyncIterator[ProcessJob]:
        folder = Path(tempfile.mkdtemp(prefix="job-", dir=self._scratch.folder))
        try:
            job = await self._start(source, folder, Request(first_tier, self._limits))
            try:
                yield job
            finally:
                await job.close()
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def _start(self, source: Path, folder: Path, request: Request) -> ProcessJob:
        for _ in range(2):
            zygote = await self._living_zygote()
            try:
                connection = zygote.fork(request, source, folder)
            except (BrokenPipeError, ConnectionError, BlockingIOError):
                zygote.kill()
                continue
            reader, writer = await asyncio.open_connection(sock=connection, limit=MAX_LINE)
            return ProcessJob(reader, writer, folder, request.limits, zygote)
        raise Unavailable("The process that reads files cannot be reached.")

    async def _living_zygote(self) -> _Zygote:
        async with self._starting:
            if self._zygote is None or self._zygote.process.poll() is not None:
                if self._zygote:
                    self._zygote.kill()
                self._zygote = await _Zygote.start()
            return self._zygote


class ProcessJob:
    """A job whose child is at work; see `Job` in port.py."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        folder: Path,
        limits: Limits,
        zygote: _Zygote,
    ) -> None:
        loop = asyncio.get_running_loop()
        self._reader = reader
        self._writer = writer
        self._folder = folder
        self._limits = limits
        self._zygote = zygote
        self._first: asyncio.Future[FirstTier] = loop.create_future()
        self._second: asyncio.Future[tuple[RenditionFile, ...]] = loop.create_future()
        self._exit: asyncio.Future[Exit] = loop.create_future()
        self._timer = loop.call_later(limits.wall_seconds, self._overdue)
        self._task = asyncio.create_task(self._follow())

    async def first_tier(self) -> FirstTier:
        return await asyncio.shield(self._first)

    async def second_tier(self) -> tuple[RenditionFile, ...]:
        return await asyncio.shield(self._second)

    async def exit(self) -> Exit:
        """Wait for the end of the process: what it used, and how it ended."""
        return await asyncio.shield(self._exit)

    async def close(self) -> None:
        """Kill what is left of the process, and wait until it is gone."""
        if not self._task.done():
            self._kill()
            await asyncio.wait([self._task])

    async def _follow(self) -> None:
        try:
            async for line in self._reader:
                self._take(line)
        except (ValueError, ConnectionError):  # also a line without an end
            self._fail(Unavailable("The process that read the file gave no proper answer."))
        finally:
            self._fail(Unavailable("The process that reads files was lost."))
            self._timer.cancel()
            self._writer.close()

    def _take(self, line: bytes) -> None:
        match decode(line, self._folder):
            case FirstTier() as first if not self._first.done():
                self._first.set_result(first)
            case SecondTier(renditions) if not self._second.done():
                self._second.set_result(renditions)
            case Refusal(code, message):
                self._fail(Rejected(code, message), ended=False)
            case Failure(message):
                self._fail(Unavailable(message), ended=False)
            case Exit() as end if not self._exit.done():
                self._exit.set_result(end)
                self._fail(_fault(end))

    def _fail(self, fault: MediaPlatformError, *, ended: bool = True) -> None:
        futures: list[
            asyncio.Future[FirstTier]
            | asyncio.Future[tuple[RenditionFile, ...]]
            | asyncio.Future[Exit]
        ]
        futures = [self._first, self._second, *([self._exit] if ended else [])]
        for future in futures:
            if not future.done():
                future.set_exception(fault)
                future.exception()  # nobody has to ask

    def _overdue(self) -> None:
        seconds = self._limits.wall_seconds
        self._fail(Unavailable(f"The file was not done in {seconds:.0f} seconds."), ended=False)
        self._kill()

    def _kill(self) -> None:
        """The zygote kills the group when this end is closed, or is killed for not doing so."""
        self._timer.cancel()
        with contextlib.suppress(OSError, RuntimeError):
            self._writer.write_eof()
        self._timer = asyncio.get_running_loop().call_later(KILL_SECONDS, self._zygote.kill)


def _fault(end: Exit) -> MediaPlatformError:
    if end.status == -signal.SIGXCPU:
        return Rejected(*TOO_DEMANDING)
    how = f"status {end.status}" if end.status >= 0 else signal.Signals(-end.status).name
    return Unavailable(f"The process that read the file ended with {how}.")


class _Zygote:
    """The zygote's process, and the socket that takes jobs."""

    def __init__(self, process: subprocess.Popen[bytes], control: socket.socket) -> None:
        self.process = process
        self._control = control

    @classmethod
    async def start(cls) -> Self:
        """Raises Unavailable if it does not come up."""
        zygote = cls(*_spawn())
        try:
            async with asyncio.timeout(START_SECONDS):
                ready = await asyncio.get_running_loop().sock_recv(zygote._control, MAX_LINE)
        except TimeoutError:
            ready = b""
        if not ready:
            zygote.kill()
            raise Unavailable("The process that reads files did not start.")
        return zygote

    def fork(self, request: Request, source: Path, folder: Path) -> socket.socket:
        """Start a job, and return the client's end of its connection."""
        with contextlib.ExitStack() as opened:
            ours, theirs = socket.socketpair()
            opened.callback(theirs.close)
            descriptors = [theirs.fileno()]
            for path, flags in ((source, os.O_RDONLY), (folder, os.O_RDONLY | os.O_DIRECTORY)):
                descriptors.append(os.open(path, flags | os.O_CLOEXEC))
                opened.callback(os.close, descriptors[-1])
            if os.geteuid() == 0:
                os.fchown(descriptors[-1], NOBODY, NOBODY)
            try:
                socket.send_fds(self._control, [encode(request)], descriptors)
            except BaseException:
                ours.close()
                raise
        ours.setblocking(False)
        return ours

    async def close(self) -> None:
        """Let it end its jobs and itself."""
        self._control.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(self.process.wait, KILL_SECONDS)
        self.kill()

    def kill(self) -> None:
        self._control.close()
        self.process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(KILL_SECONDS)


def _spawn() -> tuple[subprocess.Popen[bytes], socket.socket]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        module = "mediaplatform_worker.sandbox.zygote"
        process = subprocess.Popen(
            [sys.executable, "-I", "-m", module, str(theirs.fileno()), str(os.getpid())],
            stdin=subprocess.DEVNULL,
            cwd="/",
            env=ENVIRONMENT,
            pass_fds=[theirs.fileno()],
        )
    ours.setblocking(False)
    return process, ours
