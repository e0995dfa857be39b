"""NetworkPolicies hold: who reaches whom. What is refused to one pod succeeds from another."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.cluster.run import until
from tests.cluster.suite.chart import CHART, WAIT, helm, wired
from tests.cluster.suite.guest import GUEST_PORT, Pod, found, guest
from tests.cluster.suite.ingress import app
from tests.cluster.suite.product import OPERATOR, Platform, Product, forwarded
from tests.cluster.suite.scrape import ask
from tests.support import samples
from tests.support.samples import sample

COMPONENTS = ("api", "ingest", "sweep")
SERVERS = {"db": 5432, "redis": 6379}
METRICS = 9090
READY_S = 120
KNOWN_S = 20  # until every node knows a new pod
NAMESPACE = "kubernetes.io/metadata.name"
AWS = ("aws.aws.svc", 4566)
BESIDE_AWS = ("postgres.aws.svc", 5432)


@pytest.fixture(scope="module", autouse=True)
def closing(product: Product) -> Iterator[Future[Platform]]:
    """Made while the first tests run."""
    with product.room() as room, ThreadPoolExecutor(1) as pool:
        yield pool.submit(close, room)


@pytest.fixture(scope="module")
def closed(closing: Future[Platform]) -> Platform:
    """Everything of the chart's NetworkPolicies is on."""
    return closing.result(READY_S)


def close(platform: Platform) -> Platform:
    values = wired(platform) | {"networkPolicies": closed_policies()}
    for how in ("install", "upgrade"):  # the second migrates under the policies of the first
        helm(platform, how, platform.name, CHART, *WAIT, "--values", "-", given=values)
    return platform


@pytest.fixture(scope="module")
def stranger(product: Product) -> Iterator[Pod]:
    with product.room() as room:
        yield guest(product.kubectl, room.name)


@pytest.mark.parametrize("server", SERVERS)
def test_only_a_platform_and_the_operator_reach_its_database_and_redis(
    evaluated: Platform, whole: Platform, stranger: Pod, server: str
) -> None:
    target = f"{evaluated.name}-{server}.{evaluated.name}.svc", SERVERS[server]
    operator = evaluated.product.pods()[0].removeprefix("pod/")
    invited = *components(evaluated), Pod(evaluated.kubectl, OPERATOR, operator)
    others = stranger, guest(evaluated.kubectl, evaluated.name), *components(whole)
    assert found((pod, *target) for pod in invited) == {"open"}
    assert found((pod, *target) for pod in others) == {"silent"}


def test_others_reach_the_api_and_metrics_and_no_other_port(
    evaluated: Platform, stranger: Pod
) -> None:
    assert stranger.finds(f"{evaluated.name}-api.{evaluated.name}.svc", 80) == "open"
    pods = components(evaluated)
    assert found((stranger, pod.address, METRICS) for pod in pods) == {"open"}
    assert found((stranger, pod.address, GUEST_PORT) for pod in pods) == {"silent"}
    assert found((pod, pod.address, GUEST_PORT) for pod in pods) == {"refused"}  # nobody listens


def test_a_closed_platform_does_its_work(closed: Platform) -> None:
    helm(closed, "test", closed.name)
    with app(closed.host) as user:
        user.register("Ada")
        status = user.wait(user.upload(sample(samples.PHONE_12_MP)), seconds=60, tiers=2)
    assert status["state"] == "ready"
    query = f'up{{namespace="{closed.name}"}} == 1'
    pods = {pod.name for pod in components(closed)}
    with forwarded(closed.kubectl, "monitoring", "service/prometheus", 9090) as prometheus:
        until(lambda: pods <= ask(prometheus, query, "pod").keys(), seconds=KNOWN_S,
              what="Prometheus does not reach every component")  # fmt: skip


def test_a_closed_platform_is_reached_only_by_those_that_are_named(
    evaluated: Platform, closed: Platform, stranger: Pod
) -> None:
    for platform, expected in ((evaluated, "open"), (closed, "silent")):
        metrics = [(stranger, pod.address, METRICS) for pod in components(platform)]
        api = stranger, f"{platform.name}-api.{platform.name}.svc", 80
        assert found([api, *metrics]) == {expected}


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_closed_platform_calls_only_what_is_named(
    evaluated: Platform, closed: Platform, stranger: Pod, component: str
) -> None:
    pod, beside = one(closed, component), one(evaluated, component)
    servers = [(f"{closed.name}-{server}", port) for server, port in SERVERS.items()]
    others = (stranger.address, GUEST_PORT), BESIDE_AWS
    assert found((pod, *target) for target in (*servers, AWS)) == {"open"}
    assert found((beside, *target) for target in others) == {"open"}
    assert found((pod, *target) for target in others) == {"silent"}


def components(platform: Platform) -> list[Pod]:
    return [one(platform, component) for component in COMPONENTS]


def one(platform: Platform, component: str) -> Pod:
    name = platform.pods(component)[0]["metadata"]["name"]
    return Pod(platform.kubectl, platform.name, name)


def closed_policies() -> dict[str, object]:
    def pods_of(namespace: str) -> list[object]:
        return [{"namespaceSelector": {"matchLabels": {NAMESPACE: namespace}}}]

    return {
        "apiFrom": pods_of("ingress"),
        "metricsFrom": pods_of("monitoring"),
        "egress": {
            "restricted": True,
            "to": [{"to": pods_of("aws"), "ports": [{"port": AWS[1]}]}],
        },
    }
