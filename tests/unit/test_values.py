"""What the chart gets: the operator's values for all resources, and over them those of one."""

from __future__ import annotations

from typing import Any

from mediaplatform_operator.configuration import Configuration
from mediaplatform_operator.release.values import Wiring, values
from mediaplatform_operator.resource.load import parse

WIRING = Wiring("uploads", "media", "https://sqs/ingest", "https://sqs/render")


def ingress(spec: dict[str, Any]) -> dict[str, Any]:
    resource = parse({
        "apiVersion": "mediaplatform.io/v1alpha1", "kind": "MediaPlatform",
        "metadata": {"name": "photos", "namespace": "photos"},
        "spec": {"host": "photos.example.com", **spec},
    })  # fmt: skip
    for_all = {"ingress": {"className": "theirs", "tls": {"secretName": "theirs"}}}
    found = values(resource, WIRING, Configuration(values=for_all), {})
    chosen: dict[str, Any] = found["ingress"]
    return chosen


def test_what_a_resource_leaves_open_is_as_the_operator_has_it() -> None:
    assert ingress({}) == {"className": "theirs", "tls": {"secretName": "theirs"}}


def test_what_a_resource_says_counts() -> None:
    own = {"ingress": {"className": "own", "tls": {"secretName": "own"}}}
    assert ingress(own) == {"className": "own", "tls": {"secretName": "own"}}
