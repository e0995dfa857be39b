"""Whether Redis and PostgreSQL answer, by a real connection with the services' own credentials."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import psycopg
import redis.asyncio
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from mediaplatform.errors import InvalidInput, NotAllowed, Unavailable

CONNECT_S = 4


class Backends(Protocol):
    """Raises InvalidInput for what is no URL, NotAllowed for wrong credentials, or Unavailable."""

    async def check_database(self, url: str) -> None: ...

    async def check_redis(self, url: str) -> None: ...


@dataclass(frozen=True)
class RealBackends:
    answer_s: float = 8  # psycopg then tries for 10 more to cancel what it asked

    async def check_database(self, url: str) -> None:
        host = _host(url, ("postgresql", "postgres"))
        try:
            async with asyncio.timeout(self.answer_s):
                await _select(url)
        except TimeoutError as fault:
            raise Unavailable(
                f"PostgreSQL at {host} does not answer in {self.answer_s:g} seconds"
            ) from fault
        except psycopg.OperationalError as fault:
            said = str(fault).splitlines()[0]
            if "authentication failed" in str(fault):
                raise NotAllowed(
                    f"PostgreSQL at {host} refuses user or password: correct the Secret"
                ) from fault
            raise Unavailable(f"PostgreSQL at {host} does not answer: {said}") from fault
        except psycopg.Error as fault:
            raise Unavailable(f"PostgreSQL at {host} fails: {fault}") from fault

    async def check_redis(self, url: str) -> None:
        host = _host(url, ("redis", "rediss"))
        client = redis.asyncio.Redis.from_url(
            url, socket_timeout=CONNECT_S, socket_connect_timeout=CONNECT_S
        )
        try:
            await client.ping()
        except AuthenticationError as fault:
            raise NotAllowed(f"Redis at {host} refuses the password: correct the Secret") from fault
        except ResponseError as fault:
            raise NotAllowed(f"Redis at {host} refuses: {fault}") from fault
        except (RedisError, OSError) as fault:
            raise Unavailable(f"Redis at {host} does not answer: {fault}") from fault
        finally:
            await client.aclose()


async def _select(url: str) -> None:
    connection = await psycopg.AsyncConnection.connect(
        url, autocommit=True, connect_timeout=CONNECT_S
    )
    async with connection:
        await connection.execute("SELECT 1")


def _host(url: str, schemes: tuple[str, ...]) -> str:
    """For sentences: never the password."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in schemes or not host:
        raise InvalidInput(f"the key `url` wants {schemes[0]}://user:password@host/…")
    return f"{host}:{port}" if port else host
