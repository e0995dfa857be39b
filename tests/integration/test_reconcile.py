"""Passes over a resource: real S3, SQS, IAM, PostgreSQL and Redis; Kubernetes in memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from tests.support.operator import NAMESPACE, Operated, condition, operated, resource, secret

from mediaplatform_local.servers.emulator import ROOT_KEY, Emulator
from mediaplatform_operator.cluster.fake import FakeCluster
from mediaplatform_operator.cluster.objects import Object, secret_data
from mediaplatform_operator.configuration import CHART
from mediaplatform_operator.reconcile.parts import Parts
from mediaplatform_operator.reconcile.remove import remove

pytestmark = pytest.mark.anyio
SERVICES = ("api", "ingest", "sweep")


async def test_a_resource_becomes_ready_and_then_nothing_is_written(platform: Operated) -> None:
    report = await platform.until_ready()
    assert {name: item.status for name, item in report.conditions.items()} == {
        "QueuesReady": "True",
        "StorageReady": "True",
        "CacheReady": "True",
        "DatabaseReady": "True",
        "Migrated": "True",
        "ServicesReady": "True",
        "DriftDetected": "False",
    }
    assert report.replicas == {"api": "2/2", "ingest": "2/2"}
    kinds = {item["kind"] for item in report.inventory}
    assert {"queue", "bucket", "Deployment", "HorizontalPodAutoscaler", "Ingress"} <= kinds
    platform.cluster.writes.clear()
    again = await platform.run()
    assert again.is_ready()
    assert again.done == []
    assert platform.cluster.writes == []


async def test_services_begin_with_the_fewest_replicas_and_are_then_left_to_the_autoscaler(
    platform: Operated,
) -> None:
    name = f"{platform.thing['metadata']['name']}-api"
    platform.change(api={"replicas": {"min": 3}})
    await platform.until_ready()
    made = platform.find("Deployment", name)
    assert made["spec"]["replicas"] == 3
    made["spec"]["replicas"] = 5
    platform.cluster.put(made)
    report = await platform.run()
    assert report.done == []
    assert platform.find("Deployment", name)["spec"]["replicas"] == 5


async def test_the_services_wait_for_the_migration(platform: Operated) -> None:
    report = await platform.run()
    assert condition(report, "Migrated").reason == "Progressing"
    assert condition(report, "Ready").message.startswith("Migrated: Job ")
    kinds = {thing["kind"] for thing in platform.cluster}
    assert "Job" in kinds
    assert "Deployment" not in kinds


async def test_a_failed_migration_says_where_to_look(platform: Operated) -> None:
    await platform.run()
    [job] = [thing for thing in platform.cluster if thing["kind"] == "Job"]
    failed = {"type": "Failed", "status": "True", "message": "BackoffLimitExceeded"}
    platform.cluster.put({**job, "status": {"conditions": [failed]}})
    found = condition(await platform.run(), "Migrated")
    assert (found.status, found.reason) == ("False", "Failed")
    assert f"kubectl logs job/{job['metadata']['name']}" in found.message


@pytest.mark.parametrize("kind", ["Deployment", "Service", "ConfigMap", "Ingress"])
async def test_what_is_deleted_in_the_cluster_comes_back(platform: Operated, kind: str) -> None:
    await platform.until_ready()
    gone = next(thing for thing in platform.cluster if thing["kind"] == kind)
    meta = gone["metadata"]
    plural = {"Ingress": "ingresses"}.get(kind, f"{kind.lower()}s")
    platform.cluster.take((plural, NAMESPACE, meta["name"]))
    platform.cluster.writes.clear()
    report = await platform.run()
    assert [change.name for change in report.drift] == [meta["name"]]
    assert condition(report, "DriftDetected").status == "True"
    assert meta["name"] in condition(report, "DriftDetected").message
    assert set(platform.cluster.writes) == {("apply", kind, meta["name"])}


async def test_a_setting_changed_by_hand_is_put_back_and_told(platform: Operated) -> None:
    await platform.until_ready()
    name = f"{platform.thing['metadata']['name']}-api"
    api = platform.find("Deployment", name)
    api["spec"]["template"]["spec"]["serviceAccountName"] = "admin"
    platform.cluster.put(api, grows=True)
    report = await platform.run()
    [change] = report.drift
    assert change.setting == "spec.template.spec.serviceAccountName"
    assert (change.before, change.after) == ("admin", name)


async def test_a_changed_resource_is_no_drift(platform: Operated) -> None:
    await platform.until_ready()
    platform.change(limits={"requestsPerMinute": 77})
    report = await platform.run()
    assert report.done
    assert report.drift == []
    settings = platform.find("ConfigMap", f"{platform.thing['metadata']['name']}-settings")
    assert settings["data"]["MEDIAPLATFORM_REQUESTS_PER_MINUTE"] == "77"


async def test_rotated_credentials_roll_the_pods_and_are_no_drift(
    platform: Operated, database_url: str
) -> None:
    await platform.until_ready()
    name = f"{platform.thing['metadata']['name']}-api"
    before = platform.find("Deployment", name)["spec"]["template"]["metadata"]["annotations"]
    rotated = database_url + ("&" if "?" in database_url else "?") + "application_name=rotated"
    db = platform.find("Secret", "db")
    platform.cluster.put(secret("db", url=rotated) | {"metadata": db["metadata"]})
    report = await platform.run()
    platform.control()
    report = await platform.until_ready()
    after = platform.find("Deployment", name)["spec"]["template"]["metadata"]["annotations"]
    assert after != before
    assert report.drift == []


@pytest.mark.parametrize("name", ["tokens", "generated", "aws-ingest"])
async def test_a_deleted_secret_comes_back_as_it_was(platform: Operated, name: str) -> None:
    await platform.until_ready()
    full = f"{platform.thing['metadata']['name']}-{name}"
    before = secret_data(platform.find("Secret", full))
    platform.cluster.take(("secrets", NAMESPACE, full))
    platform.cluster.writes.clear()
    await platform.run()
    after = secret_data(platform.find("Secret", full))
    if name == "aws-ingest":  # AWS shows a secret key only once, so that one is another
        assert after["accessKeyId"] != before["accessKeyId"]
    else:
        assert after == before
        assert platform.cluster.writes == [("apply", "Secret", full)]


async def test_secrets_in_the_cluster_follow_from_what_is_generated(parts: Parts) -> None:
    platform = operated(parts, resource(host="photos.example.com"))
    report = await platform.run()
    name = platform.thing["metadata"]["name"]
    made = secret_data(platform.find("Secret", f"{name}-generated"))
    url = secret_data(platform.find("Secret", f"{name}-db"))["url"]
    assert (
        url == f"postgresql://mediaplatform:{made['databasePassword']}@{name}-db:5432/mediaplatform"
    )
    stateful = platform.find("StatefulSet", f"{name}-redis")
    assert stateful["metadata"]["ownerReferences"][0]["uid"] == platform.thing["metadata"]["uid"]
    assert condition(report, "CacheReady").reason == "Progressing"
    platform.cluster.put({**stateful, "status": {"readyReplicas": 1}})
    report = await platform.run()
    assert condition(report, "CacheReady").reason == "Unavailable"
    assert made["redisPassword"] not in condition(report, "CacheReady").message
    platform.cluster.take(("secrets", NAMESPACE, f"{name}-generated"))
    await platform.run()
    assert secret_data(platform.find("Secret", f"{name}-generated")) == made


async def test_observe_mode_tells_what_would_change_and_changes_nothing(
    platform: Operated, emulator: Emulator
) -> None:
    platform.change(mode="Observe")
    platform.cluster.writes.clear()
    report = await platform.run()
    assert condition(report, "Ready").reason == "Observing"
    named = {(change.kind, change.name) for change in report.planned}
    name = platform.thing["metadata"]["name"]
    for wanted in (("queue", f"{NAMESPACE}-{name}-ingest"), ("Deployment", f"{name}-api")):
        assert wanted in named
    assert report.done == []
    assert platform.cluster.writes == []
    assert f"{NAMESPACE}-{name}-ingest" not in str(root(emulator, "sqs").list_queues())


async def test_what_is_done_is_what_was_planned(platform: Operated) -> None:
    platform.change(mode="Observe")
    planned = (await platform.run()).planned
    platform.change(mode="Enforce")
    done = list((await platform.run()).done)
    platform.control()
    while not (report := await platform.run()).is_ready():
        done += report.done
        platform.control()
    done += report.done
    assert {(item.resource, item.setting) for item in done} == {
        (item.resource, item.setting) for item in planned
    }


async def test_paused_nothing_is_looked_at(platform: Operated) -> None:
    platform.change(paused=True)
    report = await platform.run()
    assert condition(report, "Ready").reason == "Paused"
    assert platform.cluster.writes == []


async def test_deployed_by_others_the_values_are_handed_over(platform: Operated) -> None:
    platform.change(deploy="External")
    report = await platform.run()
    assert report.is_ready()
    assert {thing["kind"] for thing in platform.cluster} == {"Secret", "ConfigMap"}
    values = platform.find("ConfigMap", f"{platform.thing['metadata']['name']}-values")
    held = yaml.safe_load(values["data"]["values.yaml"])
    assert held["wiring"]["uploadsBucket"]
    assert held["migration"] == {"asHook": True}  # who installs it has no operator to wait for
    assert "managedBy" not in held


async def test_an_object_of_somebody_else_is_left_alone(platform: Operated) -> None:
    name = f"{platform.thing['metadata']['name']}-tokens"
    platform.cluster.put(secret(name, secret="theirs"))
    found = condition(await platform.run(), "Ready")
    assert found.reason == "Conflict"
    assert f"Secret {name} exists and is not ours" in found.message
    assert secret_data(platform.find("Secret", name)) == {"secret": "theirs"}


@pytest.mark.parametrize(
    ("spec", "held", "kind", "reason", "says"),
    [
        ({"database": {"external": {"secret": "gone"}}}, {}, "DatabaseReady", "NotFound",
         "there is no Secret gone in namespace photos"),
        ({"database": {"external": {"secret": "mine"}}}, {"uri": "x"}, "DatabaseReady", "NotFound",
         "Secret mine has no key `url`"),
        ({"database": {"external": {"secret": "mine"}}}, {"url": "mysql://h/d"}, "DatabaseReady",
         "Invalid", "wants postgresql://"),
        ({"database": {"external": {"secret": "mine"}}}, {"url": "postgresql://u:pw@127.0.0.1:1/d"},
         "DatabaseReady", "Unavailable", "PostgreSQL at 127.0.0.1:1 does not answer"),
        ({"redis": {"external": {"secret": "mine"}}}, {"url": "redis://:pw@127.0.0.1:1/0"},
         "CacheReady", "Unavailable", "Redis at 127.0.0.1:1 does not answer"),
        ({"host": "Not A Host"}, {}, "Ready", "Invalid", "spec.host"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_said_with_its_remedy(
    platform: Operated, spec: dict[str, Any], held: dict[str, str],
    kind: str, reason: str, says: str,
) -> None:  # fmt: skip
    if held:
        platform.cluster.put(secret("mine", **held))
    platform.change(**spec)
    report = await platform.run()
    found = condition(report, kind)
    assert (found.status, found.reason) == ("False", reason)
    assert says in found.message
    assert "pw" not in found.message.replace("kubectl", "")
    assert not report.is_ready()


async def test_wrong_passwords_are_told_apart_from_silence(
    platform: Operated, database_url: str, redis_url: str
) -> None:
    user, _, rest = database_url.partition("@")
    platform.cluster.put(secret("wrong", url=f"{user.rpartition(':')[0]}:wrong@{rest}"))
    platform.change(database={"external": {"secret": "wrong"}})
    found = condition(await platform.run(), "DatabaseReady")
    assert (found.reason, "(Secret wrong)" in found.message) == ("NotPermitted", True)
    platform.cluster.put(secret("cold", url=f"redis://:wrong@{redis_url.partition('@')[2]}"))
    platform.change(database={"external": {"secret": "db"}}, redis={"external": {"secret": "cold"}})
    found = condition(await platform.run(), "CacheReady")
    assert (found.reason, "(Secret cold)" in found.message) == ("NotPermitted", True)


async def test_what_is_no_longer_wanted_goes(platform: Operated) -> None:
    platform.change(observability={"dashboards": True})
    await platform.until_ready()
    name = platform.thing["metadata"]["name"]
    dashboards = [thing for thing in platform.cluster if "dashboard" in thing["metadata"]["name"]]
    assert dashboards
    platform.change(observability={"dashboards": False})
    await platform.until_ready()
    left = [thing["metadata"]["name"] for thing in platform.cluster]
    assert not [item for item in left if "dashboard" in item]
    assert f"{name}-api" in left


async def test_a_pass_that_is_cut_off_anywhere_is_finished_by_the_next(
    parts: Parts, database_url: str, redis_url: str
) -> None:
    """Every write to the cluster fails once; nothing is made twice and nothing is left over."""
    thing = resource(
        host="photos.example.com",
        database={"external": {"secret": "db"}},
        redis={"external": {"secret": "cache"}},
    )
    secrets = (secret("db", url=database_url), secret("cache", url=redis_url))
    reference = operated(replace(parts, cluster=FakeCluster()), thing, *secrets)
    await reference.until_ready()
    wanted = {(item["kind"], item["metadata"]["name"]) for item in reference.cluster}
    for cut in range(1, len(reference.cluster.writes)):
        cluster = _CutOff(cut)
        platform = operated(replace(parts, cluster=cluster), thing, *secrets)
        try:
            await platform.until_ready()
        except _Killed:
            platform = Operated(platform.parts, cluster, thing)  # a new process remembers nothing
            await platform.until_ready()
        assert {(item["kind"], item["metadata"]["name"]) for item in cluster} == wanted


class _Killed(BaseException):
    pass


class _CutOff(FakeCluster):
    """Is killed right after its nth write."""

    def __init__(self, cut: int) -> None:
        super().__init__()
        self._left = cut

    async def apply(self, thing: Object, *, dry_run: bool = False, **how: str) -> Object:
        before = len(self.writes)
        after = await super().apply(thing, dry_run=dry_run, **how)
        self._left -= len(self.writes) - before
        if self._left == 0 and not dry_run:
            self._left = -1
            raise _Killed
        return after


async def test_deleted_with_data_everything_of_aws_is_gone(
    platform: Operated, emulator: Emulator
) -> None:
    platform.change(storage={"deletion": "DeleteWithData"})
    report = await platform.until_ready()
    buckets = [item["name"] for item in report.inventory if item["kind"] == "bucket"]
    s3 = root(emulator, "s3")
    s3.put_object(Bucket=buckets[0], Key="incoming/x", Body=b"x")
    assert await remove(platform.parts, platform.thing) == ""
    assert not {item["Name"] for item in s3.list_buckets()["Buckets"]} & set(buckets)
    users = {item["UserName"] for item in root(emulator, "iam").list_users()["Users"]}
    assert not [user for user in users if platform.thing["metadata"]["name"] in user]
    assert not [thing for thing in platform.cluster if thing["kind"] == "Deployment"]
    assert await remove(platform.parts, platform.thing) == ""


def root(emulator: Emulator, service: str) -> Any:
    return boto3.client(
        service, region_name="us-east-1", endpoint_url=emulator.endpoint,
        aws_access_key_id=ROOT_KEY, aws_secret_access_key=emulator.root_secret,
    )  # fmt: skip


def test_the_chart_is_where_the_operator_looks_for_it() -> None:
    assert Path(CHART, "Chart.yaml").is_file()
