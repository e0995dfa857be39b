"""Steady state, and what others change by hand."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import Any

from tests.cluster.layout import STATE
from tests.cluster.run import until
from tests.cluster.suite.product import OPERATOR, Object, Platform, forwarded
from tests.cluster.suite.scrape import samples

BACK_S = 60
WRITES = {"create", "update", "patch", "delete", "deletecollection"}
PASSES = 3


def test_in_steady_state_nothing_is_written(whole: Platform) -> None:
    """Three passes over an unchanged platform, seen by the API server's audit log."""
    whole.wait("Ready", seconds=BACK_S)  # pods may just have been moved by another test
    with forwarded(whole.kubectl, OPERATOR, f"deployment/{OPERATOR}", 9090) as url:
        before = passes(url, whole)
        changes = changed(url, whole)
        offset = audit().stat().st_size
        until(
            lambda: passes(url, whole) >= before + PASSES,
            seconds=180, what="the operator does not look again",
        )  # fmt: skip
        assert changed(url, whole) == changes
    assert written(offset, whole) == Counter()


def test_what_is_changed_by_hand_is_put_back(whole: Platform) -> None:
    """Everything at once: a queue, two settings of a bucket, a Deployment, a Secret."""
    restarts = pods(whole)
    started = time.monotonic()
    waiting = {name: hurt(whole) for name, hurt in HURTS.items()}
    took: dict[str, float] = {}

    def are_back() -> bool:
        for name in set(waiting) - set(took):
            if waiting[name]():
                took[name] = time.monotonic() - started
        return len(took) == len(HURTS)

    until(are_back, seconds=BACK_S, what=lambda: f"only {sorted(took)} are back: {whole.say()}")
    print("back after", {name: f"{seconds:.0f} s" for name, seconds in took.items()})
    whole.wait("DriftDetected", seconds=30)
    told = " ".join(message for reason, message in whole.events() if reason == "DriftPutBack")
    for part in ("-render: existence", "cors", "lifecycle", "maxUnavailable", "-tokens: existence"):
        assert part in told
    whole.wait("Ready", seconds=BACK_S)
    until(lambda: pods(whole) == restarts, seconds=BACK_S, what=lambda: f"{pods(whole)}")


def hurt_queue(platform: Platform) -> Any:
    sqs = platform.product.emulator.client("sqs")
    name = f"{platform.prefix}render"
    sqs.delete_queue(QueueUrl=platform.queue_url("render"))
    return lambda: name in str(sqs.list_queues(QueueNamePrefix=name))


def hurt_cors(platform: Platform) -> Any:
    s3 = platform.product.emulator.client("s3")
    bucket = platform.bucket("uploads")
    s3.delete_bucket_cors(Bucket=bucket)

    def is_back() -> bool:
        try:
            return bool(s3.get_bucket_cors(Bucket=bucket)["CORSRules"])
        except s3.exceptions.ClientError:
            return False

    return is_back


def hurt_lifecycle(platform: Platform) -> Any:
    s3 = platform.product.emulator.client("s3")
    bucket = platform.bucket("uploads")
    wanted = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    theirs = [{**rule, "Status": "Disabled"} for rule in wanted]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": theirs})
    return lambda: s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == wanted


def hurt_deployment(platform: Platform) -> Any:
    """How the API rolls out: it moves no pod itself, so that a restart would be ours."""
    name = f"deployment/{platform.name}-api"
    rolling = {"spec": {"strategy": {"rollingUpdate": {"maxUnavailable": 2}}}}
    platform("patch", name, "-p", json.dumps(rolling))
    return lambda: platform.get(name)["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def hurt_secret(platform: Platform) -> Any:
    name = f"{platform.name}-tokens"
    before = platform.get("secret", name)["data"]
    platform("delete", "secret", name)
    return lambda: (
        name in platform("get", "secrets", "-o", "name")
        and platform.get("secret", name)["data"] == before
    )


HURTS = {
    "queue": hurt_queue,
    "cors": hurt_cors,
    "lifecycle": hurt_lifecycle,
    "deployment": hurt_deployment,
    "secret": hurt_secret,
}


def pods(platform: Platform) -> dict[str, int]:
    return {
        pod["metadata"]["name"]: pod["status"]["containerStatuses"][0]["restartCount"]
        for pod in platform.get("pods")["items"]
        if pod["status"]["phase"] == "Running"
    }


def passes(url: str, platform: Platform) -> float:
    return total(url, "mediaplatform_operator_reconciles_total", platform)


def changed(url: str, platform: Platform) -> float:
    return total(url, "mediaplatform_operator_changes_total", platform)


def total(url: str, name: str, platform: Platform) -> float:
    return sum(
        sample.value for sample in samples(url, name) if sample.labels["resource"] == platform.name
    )


def audit() -> Any:
    return STATE / "audit/audit.log"


def written(offset: int, platform: Platform) -> Counter[str]:
    """What the operator wrote in the platform's namespace since then."""
    found: Counter[str] = Counter()
    with audit().open("rb") as file:
        file.seek(offset)
        for line in file:
            event: Object = json.loads(line)
            ours = event["user"]["username"].endswith(f":{OPERATOR}")
            where = event.get("objectRef", {})
            dry = "dryRun" in event["requestURI"]
            if (ours and event["verb"] in WRITES and not dry
                    and where.get("namespace") == platform.name):  # fmt: skip
                found[f"{event['verb']} {where.get('resource')} {where.get('name')}"] += 1
    return found
