"""The operator, or the resource, killed or changed in the middle of the work."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any

import pytest

from tests.cluster.run import until
from tests.cluster.suite.product import OPERATOR, Platform, Product

pytestmark = pytest.mark.load

KILLS = 20
POINTS = 4
DONE_S = 180
MANY_GONE_S, GONE_S = 120, 60
LAST = "last.example.com"


def test_killed_at_twenty_points_of_first_wirings_all_converge(product: Product) -> None:
    """Each round a new resource, and the operator killed a little later than in the one before."""
    with ExitStack() as rooms:
        platforms = []
        for number in range(KILLS):
            platform = rooms.enter_context(product.room())
            spec = wiring(platform)
            product.leading(seconds=60)
            platform.apply(spec)
            wait_for_progress(platform, number)
            product.kill()
            platforms.append(platform)
        product.leading(seconds=60)
        for platform in platforms:
            platform.wait("Ready", seconds=DONE_S)
            check_aws(product, platform, whole=True)
        for platform in platforms:
            platform("delete", "mediaplatform", platform.name, "--wait=false")
        for platform in platforms:
            gone(platform, seconds=MANY_GONE_S)
            check_aws(product, platform, whole=False)


def wiring(platform: Platform, deletion: str = "DeleteWithData") -> dict[str, Any]:
    """A spec of nothing but the wiring, with its database and Redis made ready."""
    return {**platform.external(), "deploy": "External", "storage": {"deletion": deletion}}


def gone(platform: Platform, uid: str = "", *, seconds: float = GONE_S) -> None:
    """Wait until the resource is, or is another one than that of the UID."""

    def is_gone() -> bool:
        there = platform("get", "mediaplatform", platform.name, "--ignore-not-found", "-o",
                         "jsonpath={.metadata.uid}")  # fmt: skip
        return there != uid if uid else not there

    until(is_gone, seconds=seconds, what=platform.say)


def wait_for_progress(platform: Platform, steps: int) -> None:
    """Until so much of the wiring is there, or nearly all: each round another point."""
    until(lambda: made(platform) >= min(steps, 14) - 1, seconds=60, what="nothing is made")


def made(platform: Platform) -> int:
    """Queues, buckets, users and Secrets that are there."""
    there = in_aws(platform.product, platform)
    secrets = platform("get", "secrets", "-o", "name").count(f"{platform.name}-")
    return sum(len(names) for names in there.values()) + secrets


def in_aws(product: Product, platform: Platform) -> dict[str, list[str]]:
    name, prefix = platform.name, platform.prefix
    sqs, s3, iam = (product.emulator.client(service) for service in ("sqs", "s3", "iam"))
    urls = sqs.list_queues(QueueNamePrefix=prefix).get("QueueUrls", [])
    buckets = [item["Name"] for item in s3.list_buckets()["Buckets"]]
    users = [item["UserName"] for item in iam.list_users(MaxItems=1000)["Users"]]
    return {
        "queues": sorted(url.rpartition("/")[2].removeprefix(prefix) for url in urls),
        "buckets": sorted(
            item.rpartition("-")[2] for item in buckets if item.startswith(f"{name}-")
        ),
        "users": sorted(user.removeprefix(prefix) for user in users if user.startswith(prefix)),
    }


def check_aws(product: Product, platform: Platform, *, whole: bool) -> None:
    """Everything once, each user with the one key that its Secret holds; or nothing at all."""
    wanted: dict[str, list[str]] = {
        "queues": ["ingest", "ingest-dead", "render", "render-dead"],
        "buckets": ["media", "uploads"],
        "users": ["api", "ingest", "render", "sweep"],
    }
    there = in_aws(product, platform)
    assert there == (wanted if whole else {kind: [] for kind in wanted})
    iam: Any = product.emulator.client("iam")
    for user in there["users"]:
        keys = iam.list_access_keys(UserName=f"{platform.prefix}{user}")["AccessKeyMetadata"]
        assert [key["AccessKeyId"] for key in keys] == [
            platform.secret_values(f"{platform.name}-aws-{user}")["accessKeyId"]
        ]


def test_deleted_in_the_middle_of_a_first_wiring_nothing_is_left(product: Product) -> None:
    with ExitStack() as rooms:
        platforms = []
        for steps in range(0, POINTS * 4, 4):
            platform = rooms.enter_context(product.room())
            platform.apply(wiring(platform))
            wait_for_progress(platform, steps)
            platform("delete", "mediaplatform", platform.name, "--wait=false")
            platforms.append(platform)
        for platform in platforms:
            gone(platform, seconds=MANY_GONE_S)
            check_aws(product, platform, whole=False)


def test_changed_in_the_middle_of_a_first_wiring_the_last_word_counts(product: Product) -> None:
    with ExitStack() as rooms:
        platforms = []
        for steps in range(0, POINTS * 4, 4):
            platform = rooms.enter_context(product.room())
            spec = wiring(platform)
            platform.apply({**spec, "queues": {"visibilitySeconds": 60}})
            wait_for_progress(platform, steps)
            platform.apply({**spec, "queues": {"visibilitySeconds": 77}, "host": LAST})
            platforms.append(platform)
        sqs, s3 = (product.emulator.client(service) for service in ("sqs", "s3"))
        for platform in platforms:
            platform.wait("Ready", seconds=DONE_S)
            check_aws(product, platform, whole=True)
            url = sqs.get_queue_url(QueueName=f"{platform.prefix}ingest")["QueueUrl"]
            found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
            assert found["Attributes"] == {"VisibilityTimeout": "77"}
            rules = s3.get_bucket_cors(Bucket=platform.bucket("uploads"))["CORSRules"]
            assert [rule["AllowedOrigins"] for rule in rules] == [[f"https://{LAST}"]]


def test_deleted_and_applied_again_it_is_another_one_of_the_same_name(product: Product) -> None:
    with product.room() as platform:
        spec = wiring(platform)
        platform.apply(spec)
        platform.wait("Ready", seconds=DONE_S)
        before = platform.resource()["metadata"]["uid"]
        platform("delete", "mediaplatform", platform.name, "--wait=false")
        platform.apply(spec)  # while the first one is still on its way out, or just gone
        gone(platform, before)
        platform.apply(spec)
        platform.wait("Ready", seconds=DONE_S)
        assert platform.resource()["metadata"]["uid"] != before
        check_aws(product, platform, whole=True)


def test_deleted_with_its_namespace_everything_goes_and_nothing_is_called_an_error(
    product: Product,
) -> None:
    with product.room() as platform:
        platform.apply(wiring(platform))
        platform.wait("Ready", seconds=DONE_S)
        product.kubectl("delete", "namespace", platform.name, "--wait=false")
        gone(platform)
        product.kubectl("wait", "--for=delete", f"namespace/{platform.name}", "--timeout=60s")
        check_aws(product, platform, whole=False)
        said = product.kubectl("logs", "-n", OPERATOR, f"deployment/{OPERATOR}", "--since=60s")
        ours = [json.loads(line) for line in said.splitlines() if platform.name in line]
        assert ours
        assert [line for line in ours if line["level"] not in {"debug", "info"}] == []


@pytest.mark.parametrize("policy", ["Retain", "Delete", "DeleteWithData"])
def test_deleted_while_the_operator_is_down_it_completes_right_after(
    product: Product, policy: str
) -> None:
    with product.room() as platform:
        platform.apply(wiring(platform, policy))
        platform.wait("Ready", seconds=60)
        before = in_aws(product, platform)
        product.kubectl("scale", "-n", OPERATOR, f"deployment/{OPERATOR}", "--replicas=0")
        until(lambda: not product.pods(), seconds=60, what="the operator does not stop")
        try:
            platform("delete", "mediaplatform", platform.name, "--wait=false")
            assert platform.resource()["metadata"]["deletionTimestamp"]
        finally:
            product.kubectl("scale", "-n", OPERATOR, f"deployment/{OPERATOR}", "--replicas=1")
        gone(platform)
        kept = policy == "Retain"
        after = in_aws(product, platform)
        assert after["queues"] == (before["queues"] if kept else [])
        assert after["buckets"] == (before["buckets"] if kept else [])
        assert after["users"] == []


def test_a_bucket_with_objects_blocks_the_deletion_and_says_how_to_go_on(product: Product) -> None:
    with product.room() as platform:
        platform.apply(wiring(platform, "Delete"))
        platform.wait("Ready", seconds=60)
        s3 = product.emulator.client("s3")
        bucket = platform.bucket("media")
        s3.put_object(Bucket=bucket, Key="media/kept", Body=b"kept")
        platform("delete", "mediaplatform", platform.name, "--wait=false")
        said = platform.wait("DeletionBlocked", seconds=30)["message"]
        assert bucket in said
        assert "DeleteWithData" in said
        assert s3.get_object(Bucket=bucket, Key="media/kept")["Body"].read() == b"kept"
        platform.change({"storage": {"deletion": "DeleteWithData"}})
        gone(platform)
        assert in_aws(product, platform) == {"queues": [], "buckets": [], "users": []}
