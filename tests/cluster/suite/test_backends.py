"""PostgreSQL and Redis of a platform: what they hold stays, and whose password changes."""

from __future__ import annotations

from contextlib import ExitStack

from tests.cluster.run import until
from tests.cluster.suite.ingress import app
from tests.cluster.suite.load import photo
from tests.cluster.suite.product import Platform, Product

READY_S = 90
ROLLED_S = 120
REDIS = 'REDISCLI_AUTH="$PASSWORD" valkey-cli {}'
# Sessions of pods; the one that asks comes from the database's own pod.
OF_PODS = "FROM pg_stat_activity WHERE datname = current_database() AND client_addr <> '127.0.0.1'"
SESSIONS = f"SELECT DISTINCT usename {OF_PODS}"
WHOSE = f"SELECT usename, client_addr, backend_start, state {OF_PODS}"


def test_in_the_cluster_what_they_hold_outlives_their_pods(product: Product) -> None:
    with product.platform() as platform, ExitStack() as opened:
        platform.wait("Ready", seconds=READY_S)
        user = opened.enter_context(app(platform.host))
        user.register("Ada")
        item = user.upload_bytes(photo(1), "1.jpg")
        assert user.wait(item, seconds=60)["state"] == "ready"
        redis = f"{platform.name}-redis-0"
        assert platform("exec", redis, "--", "sh", "-c", REDIS.format("set kept 1")).strip() == "OK"
        before = servers(platform)
        assert len(before) == 2
        platform("delete", "pod", *before, "--force", "--grace-period=0")
        until(lambda: again(platform, before), seconds=READY_S, what=platform.say)
        platform.wait("Ready", seconds=READY_S)
        assert [found["id"] for found in user.feed()["items"]] == [item]
        assert platform("exec", redis, "--", "sh", "-c", REDIS.format("get kept")).strip() == "1"


def test_a_server_that_could_not_start_is_replaced_once_it_can(product: Product) -> None:
    with product.platform(deploy="External") as platform:
        platform.wait("Ready", seconds=READY_S)
        platform.change({"paused": True})
        platform.wait("Ready", "Unknown", seconds=READY_S, reason="Paused")
        redis = f"{platform.name}-redis"
        platform("set", "image", f"statefulset/{redis}", "redis=mediaplatform-api:test")
        until(lambda: waits(platform, f"{redis}-0"), seconds=READY_S, what=platform.say)
        platform.change({"paused": False})
        platform.wait("Ready", seconds=READY_S)
        assert not waits(platform, f"{redis}-0")


def waits(platform: Platform, pod: str) -> bool:
    """Whether its container cannot start."""
    found = platform("get", "pod", pod, "--ignore-not-found", "-o",
                     "jsonpath={.status.containerStatuses[0].state.waiting.reason}")  # fmt: skip
    return found == "CrashLoopBackOff"


def test_rotated_credentials_reach_the_pods(product: Product) -> None:
    with product.room() as platform, ExitStack() as opened:
        platform.apply(platform.external())
        platform.wait("Ready", seconds=READY_S)
        user = opened.enter_context(app(platform.host))
        user.register("Ada")
        assert platform.sql(SESSIONS) == [["postgres"]]
        second = f"{platform.name}_second"
        platform.sql(f"CREATE ROLE {second} SUPERUSER LOGIN PASSWORD 'another'")
        url = f"postgresql://{second}:another@postgres.aws.svc:5432/{platform.name}"
        platform.secret("db", url=url)
        until(
            lambda: platform.sql(SESSIONS) == [[second]],
            seconds=ROLLED_S,
            what=lambda: f"{platform.sql(WHOSE)}; {platform.say()}",
        )
        platform.wait("Ready", seconds=READY_S)
        item = user.upload_bytes(photo(1), "1.jpg")
        assert user.wait(item, seconds=60)["state"] == "ready"
        assert platform.conditions()["DriftDetected"]["status"] == "False"


def servers(platform: Platform) -> dict[str, str]:
    """The ready pods of both, with their UIDs."""
    pods = [pod for component in ("db", "redis") for pod in platform.pods(component)]
    return {
        pod["metadata"]["name"]: pod["metadata"]["uid"]
        for pod in pods
        for item in pod["status"].get("conditions", ())
        if (item["type"], item["status"]) == ("Ready", "True")
    }


def again(platform: Platform, before: dict[str, str]) -> bool:
    """Whether others of the same names are ready."""
    now = servers(platform)
    return now.keys() == before.keys() and not now.items() & before.items()
