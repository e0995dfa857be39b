"""The API as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from mediaplatform.platform.settings import Settings
from mediaplatform_local.servers.ports import free_port

START_SECONDS = 20
BASE = Settings(
    public_url="http://127.0.0.1",
    database_url="",
    redis_url="",
    region="us-east-1",
    uploads_bucket="uploads",
    media_bucket="media",
    ingest_queue_url="http://127.0.0.1:1/ingest",
    render_queue_url="http://127.0.0.1:1/render",
    aws_endpoint="http://127.0.0.1:1",
    token_secret="tests and benchmarks need a secret just as well",
    requests_per_minute=10**9,
)


@contextmanager
def api_process(credentials: Mapping[str, str], **settings: Any) -> Iterator[str]:
    """The URL of an API with these settings; S3 and SQS are nowhere unless they say where."""
    port = free_port()
    chosen = replace(BASE, **settings, port=port, metrics_port=free_port())
    url = f"http://127.0.0.1:{port}"
    with python(["mediaplatform_api"], chosen.to_environment() | dict(credentials), url):
        yield url


@contextmanager
def python(module: list[str], environment: Mapping[str, str], url: str) -> Iterator[None]:
    """A module run as a process, once it answers at `url`."""
    child = subprocess.Popen(
        [sys.executable, "-m", *module], env={**os.environ, **environment}, stdout=sys.stderr
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with urlopen(url, timeout=5):  # noqa: S310
                    break
            except URLError:
                if child.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        yield
    finally:
        child.terminate()
        child.wait(START_SECONDS)
