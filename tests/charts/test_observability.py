"""Alerts fire for what they say and for nothing else; what is asked of Prometheus is there."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY, CollectorRegistry

import mediaplatform_api.middleware  # noqa: F401  (for the metrics that it defines)
import mediaplatform_worker.__main__  # noqa: F401  (for those of the workers)
from mediaplatform_operator.runtime.metrics import Metrics
from tests.support.helm import OPERATOR, SERVICES, of_kind, rendered, tool

SERIES = yaml.safe_load((Path(__file__).parent / "alerts.yaml").read_text())
OURS = re.compile(r"\bmediaplatform_\w+")


def groups() -> list[dict[str, Any]]:
    found = []
    for chart, variant, name in ((SERVICES, "full", "photos-alerts"),
                                 (OPERATOR, "namespaces", "photos")):  # fmt: skip
        found += of_kind(rendered(chart, variant), "PrometheusRule")[name]["spec"]["groups"]
    return found


def alerts() -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for group in groups() for rule in group["rules"]}


def panels() -> list[dict[str, Any]]:
    (file,) = of_kind(rendered(SERVICES, "full"), "ConfigMap")["photos-dashboard"]["data"].values()
    found: list[dict[str, Any]] = json.loads(file)["panels"]
    return found


def queries() -> list[str]:
    """With what Grafana puts in for its variables."""
    found = [target["expr"] for panel in panels() for target in panel["targets"]]
    return [re.sub(r"\$\w+", "5m", text.replace("$__rate_interval", "5m")) for text in found]


def promtool(*arguments: str) -> None:
    done = subprocess.run(
        [tool("promtool"), *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def write_rules(folder: Path, rules: list[dict[str, Any]]) -> str:
    file = folder / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": rules}))
    return str(file)


@pytest.mark.parametrize("alert", [None, *SERIES["faulty"]])
def test_an_alert_fires_for_its_fault_alone(alert: str | None, tmp_path: Path) -> None:
    series: Mapping[str, str] = {
        **SERIES["healthy"],
        **(SERIES["faulty"][alert] if alert else {}),
    }
    firing = [{"labels": f'{{alertname="{alert}"}}', "value": 1}] if alert else []
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": text} for name, text in series.items()],
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": "119m",
                "exp_samples": firing,
            }
        ],
    }
    file = tmp_path / "test.yaml"
    rules = write_rules(tmp_path, groups())
    file.write_text(yaml.safe_dump({"rule_files": [rules], "tests": [test]}))
    promtool("test", "rules", str(file))


def test_every_alert_is_tried_and_says_what_to_do() -> None:
    found = alerts()
    assert found.keys() == SERIES["faulty"].keys()
    for name, rule in found.items():
        assert rule["labels"]["severity"] in {"critical", "warning"}, name
        assert rule["annotations"].keys() == {"summary", "runbook"}, name
        assert "__" not in json.dumps(rule), name


def test_prometheus_understands_every_query(tmp_path: Path) -> None:
    promtool("check", "rules", write_rules(tmp_path, groups()))
    records = [{"record": f"panel:{index}", "expr": text} for index, text in enumerate(queries())]
    promtool("check", "rules", write_rules(tmp_path, [{"name": "panels", "rules": records}]))


def test_every_metric_that_is_asked_for_is_defined() -> None:
    operator = CollectorRegistry()
    Metrics(operator)
    defined = {family.name for part in (REGISTRY, operator) for family in part.collect()}
    asked = {name for text in (*queries(), *(rule["expr"] for rule in alerts().values()))
             for name in OURS.findall(text)}  # fmt: skip
    assert len(asked) > 10
    for name in asked:
        assert re.sub("_(total|bucket|sum|count)$", "", name) in defined, name


def test_panels_stand_side_by_side() -> None:
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels()]
    assert len(set(places)) == len(places) > 10


def test_the_monitor_finds_every_pod_that_tells_metrics() -> None:
    objects = rendered(SERVICES, "full")
    (monitor,) = of_kind(objects, "PodMonitor").values()
    (expression,) = monitor["spec"]["selector"]["matchExpressions"]
    names = {f"photos-{component}" for component in expression["values"]}
    assert names == of_kind(objects, "Deployment").keys()
    operator = of_kind(rendered(OPERATOR, "namespaces"), "PodMonitor")["photos"]
    assert operator["spec"]["podMetricsEndpoints"][0]["honorLabels"] is True
