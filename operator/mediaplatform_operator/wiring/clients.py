"""The AWS clients of the wiring, and AWS's refusals in words that name the thing and the remedy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from mediaplatform.errors import Conflict, NotAllowed, Throttled, Unavailable

DENIED = frozenset(
    {"AccessDenied", "AccessDeniedException", "403", "Forbidden", "AllAccessDisabled"}
)
UNKNOWN = frozenset(
    {"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "ExpiredToken",
     "SignatureDoesNotMatch", "ExpiredTokenException"}
)  # fmt: skip
THROTTLED = frozenset({"SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded"})
TAKEN = frozenset({"BucketAlreadyExists", "OperationAborted"})
OPERATORS = "allow it in the operator's policy (`mediaplatform policies` prints it)"
CONFIG = {"connect_timeout": 2, "read_timeout": 10,
          "retries": {"mode": "standard", "total_max_attempts": 3}}  # fmt: skip


@dataclass(frozen=True)
class Clients:
    """They block: call from a thread, with the timeouts and bounded retries that are set here."""

    s3: Any
    sqs: Any
    iam: Any
    sts: Any
    region: str

    @classmethod
    def create(
        cls,
        region: str,
        *,
        endpoint: str | None = None,
        access_key: str | None = None,
        secret_key: str | None = None,
    ) -> Self:
        """boto3's default credentials unless a key is given, as an emulator's root needs it."""
        session = boto3.Session(
            aws_access_key_id=access_key, aws_secret_access_key=secret_key, region_name=region
        )

        def client(service: str, **more: Any) -> Any:
            config = Config(**CONFIG, **more)
            return session.client(service, endpoint_url=endpoint, config=config)

        s3 = client(
            "s3",
            signature_version="s3v4",
            s3={"addressing_style": "path"} if endpoint else None,
        )
        return cls(s3, client("sqs"), client("iam"), client("sts"), region)

    def account(self) -> str:
        """The account that these credentials belong to."""
        with refusals("the credentials"):
            return str(self.sts.get_caller_identity()["Account"])


@contextmanager
def refusals(what: str, remedy: str = OPERATORS) -> Iterator[None]:
    """Raises NotAllowed, Conflict, Throttled or Unavailable for what AWS says about `what`.

    `remedy` says what to do where AWS does not permit it.
    """
    try:
        yield
    except ClientError as fault:
        code = str(fault.response.get("Error", {}).get("Code", ""))
        call = fault.operation_name
        if code in DENIED:
            raise NotAllowed(f"AWS does not permit {call} on {what}: {remedy}") from fault
        if code in UNKNOWN:
            raise NotAllowed(
                f"AWS does not know these credentials ({code} at {call}): give the process valid "
                "ones by Pod Identity, IRSA or its environment"
            ) from fault
        if code in TAKEN:
            raise Conflict(f"{what} belongs to another account: choose another name") from fault
        if code in THROTTLED:
            raise Throttled(f"AWS asks for fewer calls of {call}") from fault
        raise Unavailable(f"AWS refused {call} on {what}: {fault}") from fault
    except (BotoCoreError, ResponseParserError) as fault:  # the latter: it is not AWS that answers
        raise Unavailable(f"AWS does not answer about {what}: {fault}") from fault
