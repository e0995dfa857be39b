"""Bad input and missing rights: a sentence that names the thing and the remedy, and no flood."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mediaplatform_operator.wiring.iam import policy
from tests.cluster.run import ClusterError
from tests.cluster.suite.product import OPERATOR, Platform, Product

SOON_S = 45
LINES_A_MINUTE = 30


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"host": "Not A Host"}, "spec.host"),
        ({"api": {"replicas": {"min": 5, "max": 2}}}, "spec.api.replicas.min wants at most max"),
        ({"redis": {"inCluster": {}, "external": {"secret": "x"}}}, "spec.redis"),
        ({"storage": {"lifecycle": {"trashDays": 0}}}, "trashDays"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_the_server_refuses_what_cannot_work(
    product: Product, spec: dict[str, Any], says: str
) -> None:
    with product.room() as platform, pytest.raises(ClusterError, match=says):
        platform.apply(spec)


def test_a_name_that_buckets_have_cannot_change(product: Product) -> None:
    with product.room() as platform:
        platform.apply({"paused": True, "storage": {"name": "first"}})
        with pytest.raises(ClusterError, match=r"spec\.storage\.name"):
            platform.apply({"paused": True, "storage": {"name": "second"}})


@pytest.mark.parametrize(
    ("spec", "secret", "condition", "reason", "says"),
    [
        ({"database": {"external": {"secret": "gone"}}}, {}, "DatabaseReady", "NotFound",
         "there is no Secret gone"),
        ({"database": {"external": {"secret": "s"}}}, {"uri": "x"}, "DatabaseReady", "NotFound",
         "has no key `url`"),
        ({"database": {"external": {"secret": "s"}}},
         {"url": "postgresql://postgres:wrong@postgres.aws.svc:5432/postgres"}, "DatabaseReady",
         "NotPermitted", "refuses user or password"),
        ({"database": {"external": {"secret": "s"}}},
         {"url": "postgresql://u:p@nowhere.aws.svc:5432/d"}, "DatabaseReady", "Unavailable",
         "nowhere.aws.svc:5432 does not answer"),
        ({"redis": {"external": {"secret": "s"}}}, {"url": "redis://:wrong@valkey.aws.svc:6379/0"},
         "CacheReady", "NotPermitted", "refuses the password"),
    ],
)  # fmt: skip
def test_a_part_that_is_not_there_is_told(
    product: Product, spec: dict[str, Any], secret: dict[str, str],
    condition: str, reason: str, says: str,
) -> None:  # fmt: skip
    with product.room() as platform:
        if secret:
            platform.secret("s", **secret)
        platform.apply({**platform.external(), **spec})
        found = platform.wait(condition, "False", seconds=SOON_S, reason=reason)
        assert says in found["message"]
        assert "p@" not in found["message"]
        platform.wait("Ready", "False", seconds=SOON_S)
        assert calm(product, platform)


def test_once_the_secret_is_there_it_goes_on_by_itself(product: Product) -> None:
    with product.room() as platform:
        external = platform.external()
        held = platform.secret_values("db")
        platform("delete", "secret", "db")
        platform.apply({**external, "deploy": "External"})
        platform.wait("DatabaseReady", "False", seconds=SOON_S, reason="NotFound")
        platform.secret("db", **held)
        platform.wait("Ready", seconds=60)


def test_a_bucket_of_somebody_else_is_left_alone(product: Product) -> None:
    s3 = product.emulator.client("s3")
    with product.room() as platform:
        theirs = f"{platform.name}-theirs"
        s3.create_bucket(Bucket=f"{theirs}-media")
        s3.put_bucket_tagging(
            Bucket=f"{theirs}-media", Tagging={"TagSet": [{"Key": "team", "Value": "other"}]}
        )
        platform.apply({**platform.external(), "storage": {"name": theirs}})
        found = platform.wait("StorageReady", "False", seconds=SOON_S, reason="Conflict")
        assert f"bucket {theirs}-media exists and is not ours" in found["message"]
        assert f"mediaplatform.io/adopt={platform.name}/{platform.name}" in found["message"]
        tags = s3.get_bucket_tagging(Bucket=f"{theirs}-media")["TagSet"]
        assert tags == [{"Key": "team", "Value": "other"}]


def test_a_call_that_is_not_permitted_is_named(product: Product) -> None:
    iam: Any = product.emulator.client("iam")
    deny = {"Effect": "Deny", "Action": "s3:PutLifecycleConfiguration", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    iam.put_user_policy(UserName="operator", PolicyName="deny", PolicyDocument=document)
    try:
        with product.room() as platform:
            platform.apply({**platform.external(), "deploy": "External"})
            found = platform.wait("StorageReady", "False", seconds=SOON_S, reason="NotPermitted")
            assert "PutBucketLifecycleConfiguration" in found["message"]
            assert "mediaplatform policies" in found["message"]
            iam.delete_user_policy(UserName="operator", PolicyName="deny")
            platform.wait("Ready", seconds=60)
    finally:
        if "deny" in iam.list_user_policies(UserName="operator")["PolicyNames"]:
            iam.delete_user_policy(UserName="operator", PolicyName="deny")


def test_without_a_right_in_the_cluster_the_grant_is_named(product: Product) -> None:
    with product.room() as platform:
        external = platform.external()
        platform("delete", "rolebinding", OPERATOR)
        platform.apply(external)
        found = platform.wait("Ready", "False", seconds=SOON_S, reason="NotPermitted")
        assert 'cannot list resource "secrets"' in found["message"]
        assert "mediaplatform-operator" in found["message"]


def calm(product: Product, platform: Platform) -> bool:
    """The operator runs on, and says little."""
    pods = product.kubectl.get("pods", "-n", OPERATOR)["items"]
    restarts = [pod["status"]["containerStatuses"][0]["restartCount"] for pod in pods]
    lines = product.kubectl(
        "logs", "-n", OPERATOR, f"deployment/{OPERATOR}", "--since=60s"
    ).splitlines()
    ours = [line for line in lines if platform.name in line and '"event":"changed"' not in line]
    return not any(restarts) and len(ours) <= LINES_A_MINUTE


def test_a_database_that_goes_down_is_told_and_the_services_stay(
    product: Product, whole: Platform
) -> None:
    """The Secret turns wrong under a running service: said, nothing rolled, and well again."""
    held = whole.secret_values("db")
    before = {pod["metadata"]["name"] for pod in whole.get("pods")["items"]}
    whole.secret("db", url="postgresql://u:p@nowhere.aws.svc:5432/d")
    try:
        whole.wait("DatabaseReady", "False", seconds=90, reason="Unavailable")
        assert {pod["metadata"]["name"] for pod in whole.get("pods")["items"]} == before
    finally:
        whole.secret("db", **held)
    whole.wait("Ready", seconds=90)
    after = {pod["metadata"]["name"] for pod in whole.get("pods")["items"]}
    assert after == before


def test_the_operators_policy_is_the_one_that_is_printed(product: Product) -> None:
    """The user of this suite's operator has what `policies` prints, for any resource."""
    iam: Any = product.emulator.client("iam")
    found = iam.get_user_policy(UserName="operator", PolicyName="p0")["PolicyDocument"]
    document = json.loads(found) if isinstance(found, str) else found
    assert document == policy("operator", product.emulator.any_names, purge=True)
