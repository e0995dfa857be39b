"""Load over the ingress: requests at a constant rate, and uploads beside them.

Every request is recorded, and none is sent a second time. An upload that fails is recorded too, and
tried again as a person would.
"""

from __future__ import annotations

import io
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, Self

import httpx2
from PIL import Image

from mediaplatform.errors import MediaPlatformError
from mediaplatform_local.client import Client
from tests.cluster.suite.ingress import Balancer, app
from tests.cluster.suite.product import Platform, Product

RATE = 50  # requests a second
CLIENTS = 6  # each with connections of its own, so that every zone has some
THREADS = 150  # as many requests may hang before the rate drops
ANSWER_S = 10
UPLOAD_EVERY_S = 1.0
TRIES = 30  # of one upload, a second apart
PATHS = ("/api/feed", "/api/media", "/api/auth/me", "/")
UNLIMITED = {"requestsPerMinute": 1_000_000}


@dataclass(frozen=True)
class Sent:
    """A request and what became of it; times are those of time.monotonic()."""

    path: str
    began: float
    ended: float
    said: str  # its status, or the fault

    @property
    def failed(self) -> bool:
        return self.said != "200"


class Load:
    """One user's requests and uploads while `running`, and what became of them."""

    def __init__(self, host: str) -> None:
        self.sent: list[Sent] = []
        self.ids: list[str] = []  # of items whose upload succeeded
        self.faults: list[Sent] = []  # tries of an upload that failed
        self.lost: list[str] = []  # uploads that never succeeded
        self._host = host
        self._user = app(host)
        self._began = self._ended = time.monotonic()
        self._numbers = count()
        self._stop = threading.Event()

    def __enter__(self) -> Self:
        self._user.register("Load")
        return self

    def __exit__(self, *_: object) -> None:
        self._user.__exit__()

    @contextmanager
    def running(self) -> Iterator[None]:
        with ExitStack() as opened:
            clients = [
                opened.enter_context(_client(self._host, self._user)) for _ in range(CLIENTS)
            ]
            threads = [
                threading.Thread(target=self._send_all, args=(clients[number % CLIENTS],))
                for number in range(THREADS)
            ] + [threading.Thread(target=self._upload_all)]
            self._began = time.monotonic()
            for thread in threads:
                thread.start()
            try:
                yield
            finally:
                self._stop.set()
                for thread in threads:
                    thread.join()
                self._ended = time.monotonic()

    def wait(self, seconds: float) -> None:
        """That much more load."""
        self._stop.wait(seconds)

    @property
    def failed(self) -> list[Sent]:
        return [one for one in self.sent if one.failed]

    @property
    def rate(self) -> float:
        """Requests a second, as they came to be."""
        return len(self.sent) / (self._ended - self._began)

    def settle(self, *, seconds: float) -> Counter[str]:
        """How many items are in which state, once each is settled. Raises Unavailable."""
        deadline = time.monotonic() + seconds
        return Counter(
            self._user.wait(item, seconds=max(0, deadline - time.monotonic()))["state"]
            for item in self.ids
        )

    def __str__(self) -> str:
        worst = max(one.ended - one.began for one in self.sent)
        began = self._began
        kinds = Counter(
            f"at {one.began - began:.0f} s for {one.ended - one.began:.0f} s: {one.path} {one.said}"
            for one in (*self.failed, *self.faults)
        )
        return (
            f"{len(self.sent)} requests, {self.rate:.1f} a second, slowest {worst:.2f} s, failed "
            f"{len(self.failed)}; {len(self.ids)} uploads, {len(self.faults)} tries failed, "
            f"{len(self.lost)} lost; {dict(kinds)}"
        )

    def _send_all(self, client: httpx2.Client) -> None:
        while True:
            number = next(self._numbers)
            due = self._began + number / RATE
            if self._stop.wait(max(0, due - time.monotonic())):
                return
            self.sent.append(_send(client, PATHS[number % len(PATHS)]))

    def _upload_all(self) -> None:
        for number in count():
            if self._stop.wait(UPLOAD_EVERY_S):
                return
            self._upload(number)

    def _upload(self, number: int) -> None:
        name = f"{number}.jpg"
        for _ in range(TRIES):
            began = time.monotonic()
            try:
                self.ids.append(self._user.upload_bytes(photo(number), name))
            except MediaPlatformError as fault:
                self.faults.append(Sent("upload", began, time.monotonic(), fault.message))
                self._stop.wait(1)
            else:
                return
        self.lost.append(name)


@contextmanager
def serving(product: Product, **spec: Any) -> Iterator[Platform]:
    """A ready platform that limits nobody, with database and Redis of others."""
    with product.room() as platform:
        platform.apply({**platform.external(), "limits": UNLIMITED, **spec})
        platform.wait("Ready", seconds=120)
        yield platform


def photo(number: int) -> bytes:
    """A small JPEG, another one for each number."""
    target = io.BytesIO()
    image = Image.new("RGB", (64, 48), (number % 256, number // 256 % 256, 128))
    image.save(target, "JPEG", quality=95, comment=f"{number}".encode())
    return target.getvalue()


def array(ids: Iterable[str]) -> str:
    """Ids of items as PostgreSQL reads an array."""
    return f"{{{','.join(ids)}}}"


def _client(host: str, user: Client) -> httpx2.Client:
    return httpx2.Client(
        base_url=f"https://{host}", transport=Balancer(), timeout=ANSWER_S,
        headers={"authorization": user.authorization},
    )  # fmt: skip


def _send(client: httpx2.Client, path: str) -> Sent:
    began = time.monotonic()
    try:
        said = str(client.get(path).status_code)
    except httpx2.HTTPError as fault:
        said = repr(fault)
    return Sent(path, began, time.monotonic(), said)
