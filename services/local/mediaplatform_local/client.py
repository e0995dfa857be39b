"""The API as an app uses it: sign in, upload straight to S3, wait, look at the feed."""

from __future__ import annotations

import hashlib
import mimetypes
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import httpx2

from mediaplatform.errors import Conflict, InvalidInput, Unavailable

TIMEOUT_S = 30
CHUNK = 256 * 1024
SETTLED = frozenset({"ready", "failed", "cancelled", "expired"})
Progress = Callable[[int], None]


class Client:
    """One user's session. Raises InvalidInput, Conflict or Unavailable with the API's sentence."""

    def __init__(
        self, url: str, *, transport: Callable[[], httpx2.BaseTransport] | None = None
    ) -> None:
        """`transport` makes one of two connections, where the plain way does not lead there."""
        ways = (transport(), transport()) if transport else (None, None)
        self._http = httpx2.Client(base_url=url, timeout=TIMEOUT_S, transport=ways[0])
        # Uploads go elsewhere and carry no token of ours.
        self._s3 = httpx2.Client(timeout=TIMEOUT_S, transport=ways[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()
        self._s3.close()

    def register(self, name: str) -> dict[str, Any]:
        """A new user with a random address and password, signed in."""
        address = f"{name.lower()}-{secrets.token_hex(4)}@example.com"
        body = {"email": address, "name": name, "password": secrets.token_urlsafe(16)}
        session = self._call("POST", "/api/auth/register", json=body)
        self._http.headers["authorization"] = f"Bearer {session['accessToken']}"
        user: dict[str, Any] = session["user"]
        return user

    @property
    def authorization(self) -> str:
        """The header that tells the API who asks."""
        return str(self._http.headers["authorization"])

    def upload(
        self, file: Path, *, visibility: str = "public", progress: Progress = lambda _: None
    ) -> str:
        """Announce, PUT and confirm a file; the id of its item."""
        return self.upload_bytes(
            file.read_bytes(), file.name, visibility=visibility, progress=progress
        )

    def upload_bytes(
        self,
        content: bytes,
        name: str,
        *,
        visibility: str = "public",
        progress: Progress = lambda _: None,
    ) -> str:
        asked = self.announce(content, name, visibility=visibility)
        media_id: str = asked["media"]["id"]
        if asked["upload"] is None:
            progress(len(content))
            return media_id
        self.put(asked["upload"], content, progress=progress)
        self.confirm(media_id)
        return media_id

    def announce(self, content: bytes, name: str, *, visibility: str = "public") -> dict[str, Any]:
        body = {
            "fileName": name,
            "size": len(content),
            "contentType": mimetypes.guess_type(name)[0] or "application/octet-stream",
            "sha256": hashlib.sha256(content).hexdigest(),
            "visibility": visibility,
        }
        return self._call("POST", "/api/media/upload-url", json=body)

    def put(
        self, request: dict[str, Any], content: bytes, *, progress: Progress = lambda _: None
    ) -> None:
        """The signed PUT, to the letter. A second one, after a lost answer, is no error."""

        def pieces() -> Iterator[bytes]:
            for start in range(0, len(content), CHUNK):
                piece = content[start : start + CHUNK]
                yield piece
                progress(len(piece))

        try:
            answer = self._s3.put(request["url"], content=pieces(), headers=request["headers"])
        except httpx2.HTTPError as fault:
            raise Unavailable(f"S3 does not answer: {fault!r}") from fault
        if answer.status_code not in {200, 412}:  # 412: it is there already
            raise InvalidInput(f"S3 refused the upload ({answer.status_code}): {answer.text[:300]}")

    def confirm(self, media_id: str) -> dict[str, Any]:
        return self._call("POST", f"/api/media/{media_id}/confirm")

    def wait(self, media_id: str, *, seconds: float, tiers: int = 1) -> dict[str, Any]:
        """Its status once it is settled with so many tiers. Raises Unavailable after `seconds`."""
        deadline = time.monotonic() + seconds
        known = ""
        while True:
            left = deadline - time.monotonic()
            query = {"wait": min(20, max(0, left)) if known not in SETTLED else 0, "known": known}
            status = self._call("GET", f"/api/media/{media_id}/status", params=query)
            known = status["state"]
            complete = status["tiers"] >= tiers or status["reason"]  # more will not come
            if known in SETTLED and (known != "ready" or complete):
                return status
            if left <= 0:
                raise Unavailable(f"{media_id} is still {known} after {seconds:.0f} s")
            if known in SETTLED:
                time.sleep(0.02)

    def media(self, media_id: str) -> dict[str, Any]:
        return self._call("GET", f"/api/media/{media_id}")

    def feed(self, cursor: str | None = None) -> dict[str, Any]:
        return self._call("GET", "/api/feed", params={"cursor": cursor} if cursor else {})

    def like(self, media_id: str) -> dict[str, Any]:
        return self._call("PUT", f"/api/media/{media_id}/like")

    def fetch(self, url: str) -> bytes:
        """The bytes behind a signed URL."""
        answer = self._s3.get(url)
        if answer.status_code != 200:
            raise Unavailable(f"S3 answers {answer.status_code} for a signed URL")
        return answer.content

    def _call(self, method: str, path: str, **what: Any) -> dict[str, Any]:
        try:
            answer = self._http.request(method, path, **what)
        except httpx2.HTTPError as fault:
            raise Unavailable(f"The API does not answer: {fault!r}") from fault
        content = _content(answer)
        if answer.is_success:
            return content
        sentence = f"{method} {path}: {answer.status_code} {content.get('detail', '')}"
        if answer.status_code == 409:
            raise Conflict(sentence)
        raise (Unavailable if answer.status_code >= 500 else InvalidInput)(sentence)


def _content(answer: httpx2.Response) -> dict[str, Any]:
    """Nothing where it is not the API that speaks, but a proxy before it."""
    try:
        found = answer.json() if answer.content else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
