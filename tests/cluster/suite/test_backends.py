"""PostgreSQL and Redis of a platform: what they hold stays, and whose password changes."""

from __future__ import annotations

from tests.cluster.run import until
from tests.cluster.suite.ingress import app
from tests.cluster.suite.load import photo
from tests.cluster.suite.product import Platform

READY_S = 90
ROLLED_S = 120
REDIS = 'REDISCLI_AUTH="$PASSWORD" valkey-cli'
# Sessions of pods; the one that asks comes from the database's own pod.
OF_PODS = "FROM pg_stat_activity WHERE datname = current_database() AND client_addr <> '127.0.0.1'"
SESSIONS = f"SELECT DISTINCT usename {OF_PODS}"
WHOSE = f"SELECT usename, client_addr, backend_start, state {OF_PODS}"


def test_in_the_cluster_what_they_hold_outlives_their_pods(evaluated: Platform) -> None:
    with app(evaluated.host) as user:
        user.register("Ada")
        item = user.upload_bytes(photo(1), "1.jpg")
        assert user.wait(item, seconds=60)["state"] == "ready"
        assert redis(evaluated, "set kept 1") == "OK"
        before = servers(evaluated)
        assert len(before) == 2
        evaluated("delete", "pod", *before, "--force", "--grace-period=0")
        until(lambda: again(evaluated, before), seconds=READY_S, what=evaluated.say)
        evaluated.wait("Ready", seconds=READY_S)
        assert [found["id"] for found in user.feed()["items"]] == [item]
        assert redis(evaluated, "get kept") == "1"


def redis(platform: Platform, command: str) -> str:
    pod = f"{platform.name}-redis-0"
    return platform("exec", pod, "--", "sh", "-c", f"{REDIS} {command}").strip()


def test_a_server_that_could_not_start_is_replaced_once_it_can(evaluated: Platform) -> None:
    evaluated.change({"paused": True})
    evaluated.wait("Ready", "Unknown", seconds=READY_S, reason="Paused")
    server, reason = f"{evaluated.name}-redis", "CrashLoopBackOff"
    evaluated("set", "image", f"statefulset/{server}", "redis=mediaplatform-api:test")
    until(lambda: evaluated.waits(f"{server}-0") == reason, seconds=READY_S, what=evaluated.say)
    evaluated.change({"paused": False})
    evaluated.wait("Ready", seconds=READY_S)
    assert evaluated.waits(f"{server}-0") != reason


def test_rotated_credentials_reach_the_pods(whole: Platform) -> None:
    assert whole.sql(SESSIONS) == [["postgres"]]
    second = f"{whole.name}_second"
    whole.sql(f"CREATE ROLE {second} SUPERUSER LOGIN PASSWORD 'another'")
    url = f"postgresql://{second}:another@postgres.aws.svc:5432/{whole.name}"
    whole.secret("db", url=url)
    until(
        lambda: whole.sql(SESSIONS) == [[second]],
        seconds=ROLLED_S,
        what=lambda: f"{whole.sql(WHOSE)}; {whole.say()}",
    )
    whole.wait("Ready", seconds=READY_S)
    with app(whole.host) as user:
        user.register("Ada")
        item = user.upload_bytes(photo(1), "1.jpg")
        assert user.wait(item, seconds=60)["state"] == "ready"
    assert whole.conditions()["DriftDetected"]["status"] == "False"


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
