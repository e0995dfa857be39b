"""A small process, warm and with one thread, that forks one limited child per job.

It is started with an empty environment, so that neither it nor its children hold a secret. It ends
with its parent, and its children with it.
"""

from __future__ import annotations

import contextlib
import gc
import os
import selectors
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from mediaplatform_worker.images.decode import prepare
from mediaplatform_worker.sandbox import child
from mediaplatform_worker.sandbox.limits import die_with
from mediaplatform_worker.sandbox.wire import MAX_LINE, Exit, Request, decode, encode

READY = b"ready\n"


@dataclass(frozen=True)
class _Running:
    pid: int
    process: int  # pidfd: readable when the child has ended
    connection: socket.socket  # readable when the client wants no more of it


class Zygote:
    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ)
        self._running: set[_Running] = set()

    def serve(self) -> None:
        """Until the client closes its end; then every child is killed."""
        self._control.sendall(READY)
        while True:
            for key, _ in self._selector.select():
                running: _Running | None = key.data
                if running is None:
                    if not self._accept():
                        return
                elif key.fd == running.process:
                    self._bury(running)
                elif running in self._running:
                    self._kill(running)

    def close(self) -> None:
        for running in self._running:
            _kill_group(running.pid)

    def _accept(self) -> bool:
        line, descriptors, _, _ = socket.recv_fds(self._control, MAX_LINE, 3)
        if not line:
            return False
        request = decode(line, Path())
        assert isinstance(request, Request)  # noqa: S101
        connection, file, folder = descriptors
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become_child(request, socket.socket(fileno=connection), file, folder, parent)
        os.close(file)
        os.close(folder)
        running = _Running(pid, os.pidfd_open(pid), socket.socket(fileno=connection))
        self._running.add(running)
        self._selector.register(running.process, selectors.EVENT_READ, running)
        self._selector.register(running.connection, selectors.EVENT_READ, running)
        return True

    def _become_child(
        self, request: Request, connection: socket.socket, file: int, folder: int, parent: int
    ) -> NoReturn:
        status = 1
        try:
            self._selector.close()
            self._control.close()
            for other in self._running:
                os.close(other.process)
                other.connection.close()
            child.run(request, connection, file, folder, parent)
            status = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(status)  # without the parent's own endings

    def _kill(self, running: _Running) -> None:
        self._selector.unregister(running.connection)
        _kill_group(running.pid)

    def _bury(self, running: _Running) -> None:
        self._running.remove(running)
        _kill_group(running.pid)  # what it may have left; its id is taken until it is waited for
        _, status, usage = os.wait4(running.pid, 0)
        self._selector.unregister(running.process)
        with contextlib.suppress(KeyError):
            self._selector.unregister(running.connection)
        os.close(running.process)
        with contextlib.suppress(OSError):
            running.connection.sendall(
                encode(
                    Exit(
                        status=os.waitstatus_to_exitcode(status),
                        cpu_seconds=usage.ru_utime + usage.ru_stime,
                        peak_bytes=usage.ru_maxrss * 1024,
                    )
                )
            )
        running.connection.close()


def _kill_group(pid: int) -> None:
    """The child's group, and the child itself where it has no group yet."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError):
            kill(pid, signal.SIGKILL)


def main(control: int, parent: int) -> None:
    die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is the client's to handle
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    prepare()
    gc.collect()
    gc.freeze()  # children leave what is here unmoved, and so shared
    zygote = Zygote(socket.socket(fileno=control))
    try:
        zygote.serve()
    finally:
        zygote.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
