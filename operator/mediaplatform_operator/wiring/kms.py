"""What a component needs of the key that encrypts the buckets.

S3 asks KMS in the name of whoever signed the request: a presigned URL has the API's rights.
"""

from __future__ import annotations

from typing import Any

from mediaplatform_operator.wiring.names import Names

READ, WRITE = "kms:Decrypt", "kms:GenerateDataKey"
# `sweep` reads no object, but HEAD gives a checksum, which is encrypted too. The operator only
# writes the key's name into a bucket's settings, and S3 asks KMS nothing then.
ACTIONS = {
    "api": (WRITE, READ),
    "ingest": (WRITE, READ),
    "render": (WRITE, READ),
    "sweep": (READ,),
}


def statements(component: str, names: Names) -> list[dict[str, Any]]:
    """What its policy says about the key; nothing where there is none."""
    if names.key is None or component not in ACTIONS:
        return []
    resource, alias = _resource(names.key, names)
    condition: dict[str, Any] = {
        "StringEquals": {"kms:ViaService": f"s3.{names.region}.amazonaws.com"}
    }
    if alias:
        condition["ForAnyValue:StringEquals"] = {"kms:ResourceAliases": [alias]}
    return [
        {
            "Effect": "Allow",
            "Action": list(ACTIONS[component]),
            "Resource": [resource],
            "Condition": condition,
        }
    ]


def _resource(key: str, names: Names) -> tuple[str, str | None]:
    """An ARN, and the alias that is to narrow it: a policy cannot name a key by its alias."""
    home, _, name = key.rpartition(":")
    home = home or f"arn:aws:kms:{names.region}:{names.account}"
    if name.startswith("alias/"):
        return f"{home}:key/*", name
    return f"{home}:key/{name.removeprefix('key/')}", None
