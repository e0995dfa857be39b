"""boto3 from asyncio: one session, bounded threads, and botocore's faults as ours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from mediaplatform.errors import (
    MediaPlatformError,
    MessageGone,
    ObjectChanged,
    ObjectMissing,
    Throttled,
    Unavailable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

P = ParamSpec("P")
T = TypeVar("T")

CONNECT_TIMEOUT_S = 2
READ_TIMEOUT_S = 30  # above SQS's longest poll of 20 s
IDENTITY_TIMEOUT_S = 10  # of STS, which threads ask one after another
ATTEMPTS = 3
LONGEST_CALL_S = ATTEMPTS * (CONNECT_TIMEOUT_S + READ_TIMEOUT_S)  # that moves no file
THROTTLES = frozenset({
    "SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "RequestThrottled",
    "TooManyRequestsException", "429", "503",
})  # fmt: skip
MISSING = frozenset({"NoSuchKey", "NoSuchVersion", "NotFound", "404"})
CHANGED = frozenset({"PreconditionFailed", "412"})
GONE = frozenset({"ReceiptHandleIsInvalid", "MessageNotInflight", "InvalidParameterValue"})
FAULTS: tuple[tuple[frozenset[str], type[MediaPlatformError]], ...] = (
    (MISSING, ObjectMissing),
    (CHANGED, ObjectChanged),
    (GONE, MessageGone),
    (THROTTLES, Throttled),
)


class Aws:
    """The AWS clients of one process; `endpoint` only for emulators and VPC endpoints."""

    def __init__(
        self,
        region: str,
        *,
        endpoint: str | None = None,
        public_endpoint: str | None = None,
        threads: int = 8,
    ) -> None:
        core = botocore.session.Session()
        # What is not said below; above all for STS, which would be waited for a minute.
        core.set_default_client_config(
            Config(connect_timeout=CONNECT_TIMEOUT_S, read_timeout=IDENTITY_TIMEOUT_S)
        )
        self._session = boto3.Session(botocore_session=core, region_name=region)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="aws")
        self._connections = threads
        self.s3 = self._client("s3", endpoint)
        self.sqs = self._client("sqs", endpoint)
        # Signatures cover the host, so URLs for browsers need a client of the browsers' endpoint.
        same = public_endpoint in (None, endpoint)
        self.public_s3 = self.s3 if same else self._client("s3", public_endpoint)

    def _client(self, service: str, endpoint: str | None) -> Any:
        config = Config(
            signature_version="s3v4" if service == "s3" else None,
            s3={"addressing_style": "path"} if endpoint else None,
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=READ_TIMEOUT_S,
            max_pool_connections=self._connections,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            # Only what we ask for: a checksum on our own uploads, not on signed ones.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        return self._session.client(service, endpoint_url=endpoint, config=config)

    async def call(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a blocking call on a thread, and raise what went wrong as one of our errors."""
        loop = asyncio.get_running_loop()
        with aws_faults():
            return await loop.run_in_executor(self._threads, partial(call, *args, **kwargs))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


@contextmanager
def aws_faults() -> Iterator[None]:
    """Raise what botocore raises as one of our errors; Unavailable where nothing fits better."""
    try:
        yield
    except ClientError as fault:
        code = str(fault.response.get("Error", {}).get("Code", ""))
        for codes, error in FAULTS:
            if code in codes:
                raise error from fault
        raise Unavailable(f"AWS refused {fault.operation_name}: {code}") from fault
    except BotoCoreError as fault:
        raise Unavailable(f"AWS does not answer: {fault}") from fault
