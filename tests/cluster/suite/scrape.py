"""Metrics of a pod, as Prometheus reads them, and what Prometheus made of them."""

from __future__ import annotations

import json
from urllib.parse import urlencode
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


def samples(url: str, name: str) -> list[Sample]:
    """Every sample of this name. Raises OSError."""
    with urlopen(f"{url}/metrics", timeout=10) as answer:  # noqa: S310
        text = answer.read().decode()
    return [
        sample
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    ]


def ask(url: str, query: str, label: str) -> dict[str, float]:
    """What Prometheus answers to an instant query, by one label. Raises OSError."""
    with urlopen(f"{url}/api/v1/query?{urlencode({'query': query})}", timeout=10) as answer:  # noqa: S310
        found = json.load(answer)["data"]["result"]
    return {item["metric"].get(label, ""): float(item["value"][1]) for item in found}
