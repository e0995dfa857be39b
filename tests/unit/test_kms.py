"""Policies on the key of the buckets: only where there is one, and only for that key through S3."""

from __future__ import annotations

from typing import Any

import pytest

from mediaplatform_operator.resource.load import parse
from mediaplatform_operator.wiring.iam import COMPONENTS, policy
from mediaplatform_operator.wiring.names import Names

ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
SHARED = "mrk-1234abcd12ab34cd56ef1234567890ab"
ARN = f"arn:aws:kms:eu-west-1:222222222222:key/{ID}"
THROUGH_S3 = {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}
OWN = "arn:aws:kms:eu-west-1:111111111111:key"


def statements(component: str, key: str | None) -> list[dict[str, Any]]:
    """Those about KMS, of what is printed for the component."""
    storage = {"name": "acme", **({"encryption": {"kmsKeyId": key}} if key else {})}
    spec = {"host": "a", "aws": {"region": "eu-west-1"}, "storage": storage}
    resource = parse({"kind": "MediaPlatform", "metadata": {"name": "photos"}, "spec": spec})
    names = Names.of(resource, uid="", account="111111111111")
    return [
        statement
        for statement in policy(component, names)["Statement"]
        if any(action.startswith("kms:") for action in statement["Action"])
    ]


def named(alias: str) -> dict[str, Any]:
    return {**THROUGH_S3, "ForAnyValue:StringEquals": {"kms:ResourceAliases": [alias]}}


@pytest.mark.parametrize(
    ("key", "resource", "condition"),
    [
        (ARN, ARN, THROUGH_S3),
        (ID, f"{OWN}/{ID}", THROUGH_S3),
        (SHARED, f"{OWN}/{SHARED}", THROUGH_S3),
        ("alias/photos", f"{OWN}/*", named("alias/photos")),
        (
            "arn:aws:kms:eu-west-1:222222222222:alias/team/photos",
            "arn:aws:kms:eu-west-1:222222222222:key/*",
            named("alias/team/photos"),
        ),
    ],
)
def test_a_statement_allows_this_key_and_no_other(
    key: str, resource: str, condition: dict[str, Any]
) -> None:
    [statement] = statements("ingest", key)
    assert statement["Effect"] == "Allow"
    assert statement["Resource"] == [resource]
    assert statement["Condition"] == condition


BOTH = ["kms:GenerateDataKey", "kms:Decrypt"]


@pytest.mark.parametrize(
    ("component", "actions"),
    [
        ("operator", None),  # S3 takes a bucket's key as it is written, and asks KMS nothing
        ("api", BOTH),  # whoever uses a URL acts with the rights of who signed it
        ("ingest", BOTH),
        ("render", BOTH),
        ("sweep", ["kms:Decrypt"]),  # HEAD reads a checksum, which is encrypted too
    ],
)
def test_each_component_may_use_the_key_as_far_as_it_reads_and_writes(
    component: str, actions: list[str] | None
) -> None:
    found = [statement["Action"] for statement in statements(component, ARN)]
    assert found == ([actions] if actions else [])


@pytest.mark.parametrize("component", COMPONENTS)
def test_without_a_key_nothing_is_allowed_on_any(component: str) -> None:
    assert statements(component, None) == []
