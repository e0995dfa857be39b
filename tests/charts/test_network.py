"""NetworkPolicies fit the pods of the other chart, and those that the operator makes itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mediaplatform_operator.configuration import Configuration
from mediaplatform_operator.release import evaluation
from mediaplatform_operator.release.values import Wiring, values
from mediaplatform_operator.resource.load import parse
from tests.support.helm import OPERATOR, RELEASE, SERVICES, Object, of_kind, pods, rendered

CONFIGURATION = Configuration(namespace="operators")
RESOURCE = parse(
    {
        "apiVersion": "mediaplatform.io/v1alpha1",
        "kind": "MediaPlatform",
        "metadata": {"name": RELEASE, "namespace": "team"},
        "spec": {"host": "photos.example.com"},
    }
)
SERVERS = {f"{RELEASE}-db": 5432, f"{RELEASE}-redis": 6379}


def made(kind: str, configuration: Configuration = CONFIGURATION) -> dict[str, Object]:
    return of_kind(tuple(evaluation.manifests(RESOURCE, configuration, "")), kind)


def chosen(peer: Object, labels: Object) -> bool:
    wanted = peer["podSelector"]
    listed = wanted.get("matchExpressions", ())
    assert all(item["operator"] == "In" for item in listed)
    return wanted.get("matchLabels", {}).items() <= labels.items() and all(
        labels.get(item["key"]) in item["values"] for item in listed
    )


@pytest.mark.parametrize("name", SERVERS)
def test_evaluation_servers_let_in_their_own_platform_and_the_operator(name: str) -> None:
    policy = made("NetworkPolicy")[name]["spec"]
    server = made("StatefulSet")[name]["spec"]["template"]["metadata"]["labels"]
    assert chosen(policy, server)
    [rule] = policy["ingress"]
    assert [port["port"] for port in rule["ports"]] == [SERVERS[name]]
    own, operator = rule["from"]
    assert "namespaceSelector" not in own
    assert operator["namespaceSelector"] == {
        "matchLabels": {"kubernetes.io/metadata.name": "operators"}
    }
    for peer, chart in ((own, SERVICES), (operator, OPERATOR)):
        everybody = [
            meta["labels"]
            for meta, _ in pods(rendered(chart, "full" if chart == SERVICES else "default"))
        ]
        assert everybody
        assert all(chosen(peer, labels) for labels in everybody)
        assert not chosen(peer, {**everybody[0], "app.kubernetes.io/name": "another"})


def test_without_policies_the_servers_have_none_either() -> None:
    off = replace(CONFIGURATION, values={"networkPolicies": {"enabled": False}})
    assert made("StatefulSet", off).keys() == SERVERS.keys()
    assert not made("NetworkPolicy", off)


@pytest.mark.parametrize("name", SERVERS)
def test_pods_that_may_call_little_may_call_evaluation_servers(name: str) -> None:
    server = made("StatefulSet")[name]["spec"]["template"]["metadata"]["labels"]
    policies = of_kind(rendered(SERVICES, "full"), "NetworkPolicy")
    api = policies[f"{RELEASE}-api"]["spec"]["egress"]
    peers = [peer for rule in api for peer in rule.get("to", ()) if "podSelector" in peer]
    assert [chosen(peer, server) for peer in peers] == [True]
    other = {**server, "app.kubernetes.io/instance": "videos"}
    assert not any(chosen(peer, other) for peer in peers)
    api_pod = {**server, "app.kubernetes.io/component": "api"}
    assert not any(chosen(peer, api_pod) for peer in peers)


def test_where_only_some_may_scrape_the_operator_still_may() -> None:
    monitoring = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "m"}}}
    some = replace(CONFIGURATION, values={"networkPolicies": {"metricsFrom": [monitoring]}})
    wiring = Wiring("uploads", "media", "https://sqs/ingest", "https://sqs/render")
    for_some = values(RESOURCE, wiring, some, {})["networkPolicies"]["metricsFrom"]
    assert for_some[0] == monitoring
    assert for_some[1:] == made("NetworkPolicy")[f"{RELEASE}-db"]["spec"]["ingress"][0]["from"][1:]
    assert "networkPolicies" not in values(RESOURCE, wiring, CONFIGURATION, {})
