"""`mediaplatform plan` beside what applying the same file then does, on AWS and in the cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mediaplatform_operator.cluster.keep import leaves
from mediaplatform_operator.cluster.objects import OWNED, Kind, content, is_owned
from tests.cluster.suite.product import GROUP, OPERATOR, Emulator, Object, Platform, Product
from tests.cluster.suite.test_drift import audit
from tests.support.helm import helm

READY_S = 150
WRITES = {"create", "update", "patch", "delete", "deletecollection"}
CHANGE = {
    "limits": {"requestsPerMinute": 77},
    "api": {"replicas": {"min": 3}},
    "queues": {"visibilitySeconds": 90},
    "observability": {"dashboards": False},
}
Things = dict[tuple[str, str], Object]
Step = tuple[str, str, str]


@dataclass(frozen=True)
class Engineer:
    """Whoever plans, on a machine that reaches cluster and AWS from outside."""

    platform: Platform
    endpoint: str
    key: tuple[str, str]
    folder: Path

    def file(self, **spec: Any) -> Path:
        platform = self.platform
        meta = {"name": platform.name, "namespace": platform.name}
        file = self.folder / "mediaplatform.yaml"
        file.write_text(
            json.dumps({"apiVersion": GROUP, "kind": "MediaPlatform", "metadata": meta,
                        "spec": {"host": platform.host, **spec}})
        )  # fmt: skip
        return file

    def plan(self, *words: str, **spec: Any) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "KUBECONFIG": str(self.platform.kubectl.kubeconfig),
            "AWS_ACCESS_KEY_ID": self.key[0],
            "AWS_SECRET_ACCESS_KEY": self.key[1],
        }
        return subprocess.run(
            [sys.executable, "-m", "mediaplatform_local.cli", "plan", "-f", self.file(**spec),
             "--helm", helm(), "--aws-endpoint", self.endpoint, *words],
            env=environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def steps(self, **spec: Any) -> list[Object]:
        """Of everything but the resource itself."""
        done = self.plan("--output", "json", **spec)
        assert done.returncode == 0, done.stderr
        found: list[Object] = json.loads(done.stdout)["steps"]
        return [step for step in found if step["kind"] != "MediaPlatform"]


@pytest.fixture
def plans(product: Product, emulator: Emulator, tmp_path: Path) -> Callable[[Platform], Engineer]:
    def of(platform: Platform) -> Engineer:
        return Engineer(platform, emulator.endpoint, emulator.root, tmp_path)

    return of


def test_a_plan_is_what_applying_does(
    product: Product, plans: Callable[[Platform], Engineer]
) -> None:
    with product.room() as platform:
        engineer = plans(platform)
        spec = platform.external()
        before = everything(platform)
        offset = audit().stat().st_size
        planned = engineer.steps(**spec)
        assert everything(platform) == before
        assert written(offset, platform) == []
        platform.apply(spec)
        platform.wait("Ready", seconds=READY_S)
        after = everything(platform)
        uid = platform.resource()["metadata"]["uid"]
        assert {sure(step, uid) for step in planned} == moved(before, after)

        assert engineer.plan("--exit-code", **spec).returncode == 0
        new = {**spec, **CHANGE}
        planned = engineer.steps(**new)
        assert engineer.plan("--exit-code", **new).returncode == 1
        platform.apply(new)
        platform.wait("Ready", seconds=READY_S)
        changed = everything(platform)
        assert {sure(step, uid) for step in planned} == moved(after, changed)
        for step in planned:
            place = step["kind"], step["name"]
            if step["action"] == "change" and step["kind"] not in {"queue", "bucket"}:
                assert fields(step) <= differing(after[place], changed[place]), place
        assert engineer.plan("--exit-code", **new).stdout.splitlines()[-1].startswith("no changes")


def test_what_the_server_refuses_is_told_by_the_server(
    product: Product, plans: Callable[[Platform], Engineer]
) -> None:
    with product.room() as platform:
        engineer = plans(platform)
        platform.apply({"paused": True})
        done = engineer.plan(aws={"region": "eu-central-1"})
        assert done.returncode == 2
        assert "spec.aws.region cannot be changed" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def test_what_a_quota_would_refuse_ends_the_plan(
    product: Product, plans: Callable[[Platform], Engineer]
) -> None:
    with product.room() as platform:
        platform("create", "quota", "few", "--hard=count/deployments.apps=0")
        done = plans(platform).plan()
        assert done.returncode == 2
        assert "quota: few" in done.stderr
        assert platform("get", "all", "-o", "name") == ""


def test_observed_the_operator_tells_the_same_and_writes_its_status_only(
    product: Product, plans: Callable[[Platform], Engineer]
) -> None:
    with product.room() as platform:
        offset = audit().stat().st_size
        platform.apply({"mode": "Observe"})
        platform.wait("Ready", "Unknown", reason="Observing", seconds=60)
        told = {item["resource"] for item in platform.resource()["status"]["plan"]}
        uid = platform.resource()["metadata"]["uid"]
        steps = [sure(step, uid) for step in plans(platform).steps(mode="Observe")]
        assert {f"{kind} {name}" for _, kind, name in steps} == told
        assert everything(platform) == {}
        paths = {what.split()[-1].partition("?")[0] for what in written(offset, platform, OPERATOR)}
        places = {path.rpartition("/")[2] for path in paths if not path.endswith("/events")}
        assert {"status"} <= places <= {"status", platform.name}


def sure(step: Object, uid: str) -> Step:
    return step["action"], step["kind"], step["name"].replace("<uid>", uid[:8])


def fields(step: Object) -> set[str]:
    return {item["setting"] for item in step["settings"]}


def differing(before: Object, after: Object) -> set[str]:
    return {path for path, _, _ in leaves("", before, after)}


def moved(before: Things, after: Things) -> set[Step]:
    """What is there now and was not, what is gone, and what is another."""
    found = {("create", *place) for place in after.keys() - before.keys()}
    found |= {("delete", *place) for place in before.keys() - after.keys()}
    return found | {
        ("change", *place)
        for place in before.keys() & after.keys()
        if before[place] != after[place]
    }


def everything(platform: Platform) -> Things:
    """All that is the resource's, in the cluster and on AWS."""
    return {**in_cluster(platform), **on_aws(platform)}


def in_cluster(platform: Platform) -> Things:
    resource = platform("get", "mediaplatforms", "-o", "name")
    if not resource.strip():
        return {}
    uid = platform.resource()["metadata"]["uid"]
    served = platform("api-resources", "--namespaced", "--verbs=list", "-o", "name").split()
    found = platform.get(",".join({_full(kind) for kind in OWNED} & set(served)))["items"]
    return {
        (item["kind"], item["metadata"]["name"]): _wished(item)
        for item in found
        if is_owned(item, uid)
    }


def _wished(thing: Object) -> Object:
    """Without what controllers write."""
    kept = content(thing)
    if kept["kind"] == "Deployment":
        kept["spec"].pop("replicas")  # the HPA's
    return kept


def _full(kind: Kind) -> str:
    """As kubectl names it: 'secrets', 'deployments.apps'."""
    return ".".join(filter(None, (kind.plural, kind.api_version.rpartition("/")[0])))


def on_aws(platform: Platform) -> Things:
    emulator = platform.product.emulator
    prefix = f"{platform.name}-"
    sqs, s3, iam = (emulator.client(name) for name in ("sqs", "s3", "iam"))
    found: Things = {}
    for url in sqs.list_queues(QueueNamePrefix=prefix).get("QueueUrls", ()):
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        kept = {
            name: value
            for name, value in attributes.items()
            if not name.startswith("Approximate") and not name.endswith("Timestamp")
        }
        found["queue", url.rpartition("/")[2]] = kept
    for bucket in s3.list_buckets()["Buckets"]:
        if bucket["Name"].startswith(prefix):
            found["bucket", bucket["Name"]] = settings(s3, bucket["Name"])
    for user in iam.list_users()["Users"]:
        if user["UserName"].startswith(prefix):
            found["user", user["UserName"]] = {}
    return found


def settings(s3: Any, bucket: str) -> Object:
    return {
        "versioning": s3.get_bucket_versioning(Bucket=bucket).get("Status"),
        "encryption": s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"],
        "lifecycle": s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"],
        "cors": s3.get_bucket_cors(Bucket=bucket)["CORSRules"],
        "tags": s3.get_bucket_tagging(Bucket=bucket)["TagSet"],
    }


def written(offset: int, platform: Platform, by: str = "") -> list[str]:
    """What people, or this account, wrote in the namespace since then; dry runs write nothing."""
    with audit().open("rb") as file:
        file.seek(offset)
        events = [json.loads(line) for line in file]
    return [
        f"{event['user']['username']} {event['verb']} {event['requestURI']}"
        for event in events
        if event["verb"] in WRITES
        and "dryRun" not in event["requestURI"]
        and event.get("objectRef", {}).get("namespace") == platform.name
        and _is_by(event["user"]["username"], by)
    ]


def _is_by(user: str, account: str) -> bool:
    return user.endswith(f":{account}") if account else not user.startswith("system:")
