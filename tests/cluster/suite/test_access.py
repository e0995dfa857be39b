"""Each component's own AWS credentials: enough for its work, and for nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.cluster.suite.product import Platform

# What each role must not do: the nearest thing to its own work.
FORBIDDEN = {
    "api": ("sqs", "receive_message", {"QueueUrl": "ingest"}),
    "ingest": ("s3", "delete_object", {"Bucket": "media", "Key": "media/x"}),
    "render": ("s3", "get_object", {"Bucket": "uploads", "Key": "incoming/x"}),
    "sweep": ("s3", "put_object", {"Bucket": "media", "Key": "media/x", "Body": b""}),
}
ALLOWED = {
    "api": ("sqs", "send_message", {"QueueUrl": "render", "MessageBody": "{}"}),
    "ingest": ("s3", "put_object", {"Bucket": "media", "Key": "media/x", "Body": b""}),
    "render": ("s3", "get_object", {"Bucket": "media", "Key": "media/x"}),
    "sweep": ("s3", "delete_object", {"Bucket": "media", "Key": "media/x"}),
}


@pytest.mark.parametrize("component", FORBIDDEN)
def test_a_component_may_do_its_work_and_nothing_else(whole: Platform, component: str) -> None:
    held = whole.secret_values(f"{whole.name}-aws-{component}")
    key = (held["accessKeyId"], held["secretAccessKey"])
    if component == "render":
        prepare(whole)
    call(whole, key, *ALLOWED[component])
    with pytest.raises(ClientError) as refused:
        call(whole, key, *FORBIDDEN[component])
    assert refused.value.response["Error"]["Code"].startswith("AccessDenied")


def test_the_operator_reads_no_object_and_sends_no_message(whole: Platform) -> None:
    data = whole.kubectl.get("secret", "-n", "mediaplatform-operator", "aws")["data"]
    key = whole.decoded(data["accessKeyId"]), whole.decoded(data["secretAccessKey"])
    for what in (FORBIDDEN["render"], ALLOWED["api"], ALLOWED["ingest"]):
        with pytest.raises(ClientError) as refused:
            call(whole, key, *what)
        assert refused.value.response["Error"]["Code"].startswith("AccessDenied")


def test_each_pod_runs_as_its_own_account_without_a_token(whole: Platform) -> None:
    accounts = {}
    for pod in whole.get("pods", "-l", "app.kubernetes.io/component in (api,ingest,sweep)")[
        "items"
    ]:
        component = pod["metadata"]["labels"]["app.kubernetes.io/component"]
        accounts[component] = pod["spec"]["serviceAccountName"]
        assert pod["spec"]["automountServiceAccountToken"] is False
    assert accounts == {name: f"{whole.name}-{name}" for name in ("api", "ingest", "sweep")}


def prepare(platform: Platform) -> None:
    s3 = platform.product.emulator.client("s3")
    s3.put_object(Bucket=platform.bucket("media"), Key="media/x", Body=b"x")


def call(platform: Platform, key: tuple[str, str], service: str, name: str, given: Any) -> None:
    client = platform.product.emulator.client(service, key)
    found = {field: full(platform, field, value) for field, value in given.items()}
    getattr(client, name)(**found)


def full(platform: Platform, field: str, value: Any) -> Any:
    if field == "Bucket":
        return platform.bucket(value)
    if field == "QueueUrl":
        return platform.queue_url(value)
    return value
