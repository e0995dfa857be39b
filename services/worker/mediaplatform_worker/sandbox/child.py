"""One job: a process that reads one untrusted file and writes renditions, and nothing else."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

from mediaplatform.errors import Rejected
from mediaplatform_worker.images.renditions import AVIF, JPEG, read
from mediaplatform_worker.sandbox.limits import confine
from mediaplatform_worker.sandbox.port import FirstTier
from mediaplatform_worker.sandbox.wire import (
    TOO_DEMANDING,
    Failure,
    Message,
    Refusal,
    Request,
    SecondTier,
    encode,
)


def run(request: Request, connection: socket.socket, file: int, folder: int, parent: int) -> None:
    """Work in the open `folder`, alone in a process group, and say what comes of it."""
    os.setsid()
    os.fchdir(folder)
    os.close(folder)
    confine(request.limits, parent=parent)
    for message in _work(file, first_tier=request.first_tier):
        connection.sendall(encode(message))


def _work(file: int, *, first_tier: bool) -> Iterator[Message]:
    try:
        with os.fdopen(file, "rb") as source:
            picture = read(source)
        here = Path()
        if first_tier:
            renditions = picture.write(JPEG, here)
            yield FirstTier(picture.inspection(), renditions)
        yield SecondTier(picture.write(AVIF, here))
    except Rejected as rejected:
        yield Refusal(rejected.code, rejected.message)
    except MemoryError:
        yield Refusal(*TOO_DEMANDING)
    except (OSError, ImportError) as error:
        yield Failure(f"{type(error).__name__}: {error}")
