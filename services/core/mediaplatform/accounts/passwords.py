"""Passwords: strong enough, and kept as argon2id (RFC 9106)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

from mediaplatform.errors import InvalidInput

T = TypeVar("T")

SHORTEST = 8
LONGEST = 128
WEAKEST = 2  # of zxcvbn's scores 0 to 4: a guess at what a person could not try online


class Passwords:
    """Hashing is slow by design, so only a few run at once: 7 MiB and some 20 ms each, one of the
    parameter sets that OWASP's Password Storage Cheat Sheet holds to be of equal strength.
    """

    def __init__(self, *, threads: int = 2) -> None:
        self._hasher = PasswordHasher(time_cost=5, memory_cost=7 * 1024, parallelism=1)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._nobody = self._hasher.hash("nobody")

    async def hash(self, password: str) -> str:
        return await self._run(self._hasher.hash, password)

    async def matches(self, password: str, kept: str | None) -> bool:
        """As slow for an account that is not there (`kept` is None) as for one that is."""
        return await self._run(self._verify, password, kept or self._nobody) and kept is not None

    def _verify(self, password: str, kept: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, call: Callable[..., T], *values: str) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(call, *values))


def check_strength(password: str, *, known: list[str]) -> None:
    """Raises InvalidInput with advice; `known` are words an attacker would try first."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise InvalidInput(
            f"password must be {SHORTEST} to {LONGEST} characters, not {len(password)}",
            field="password",
        )
    verdict = zxcvbn(password[:72], user_inputs=known)
    if verdict["score"] < WEAKEST:
        feedback = verdict["feedback"]
        advice = " ".join([feedback["warning"], *feedback["suggestions"]]).strip()
        raise InvalidInput(f"password is too easy to guess. {advice}".strip(), field="password")
