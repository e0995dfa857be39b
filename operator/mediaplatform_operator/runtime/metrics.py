"""What the operator tells Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from mediaplatform_operator.reconcile.report import Report
from mediaplatform_operator.wiring.queues import Depth

RESOURCE = ("namespace", "resource")
SECONDS = (0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32)
VALUES = {"True": 1, "False": 0, "Unknown": -1}


class Metrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._passes = Counter(
            "mediaplatform_operator_reconciles", "Passes over a resource, by how they ended.",
            (*RESOURCE, "result"), registry=registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "mediaplatform_operator_reconcile_seconds", "Duration of a pass.",
            buckets=SECONDS, registry=registry,
        )  # fmt: skip
        self._changes = Counter(
            "mediaplatform_operator_changes", "Settings written, by kind of object.",
            (*RESOURCE, "kind"), registry=registry,
        )  # fmt: skip
        self._drift = Counter(
            "mediaplatform_operator_drift", "Settings that others changed and we put back.",
            RESOURCE, registry=registry,
        )  # fmt: skip
        self._conditions = Gauge(
            "mediaplatform_condition", "1 True, 0 False, -1 Unknown.",
            (*RESOURCE, "type"), registry=registry,
        )  # fmt: skip
        self._messages = Gauge(
            "mediaplatform_queue_messages", "Messages of a queue, as SQS counts them.",
            (*RESOURCE, "queue", "state"), registry=registry,
        )  # fmt: skip
        self._oldest = Gauge(
            "mediaplatform_queue_oldest_seconds",
            "At most how long a message has waited: since the queue was last seen empty.",
            (*RESOURCE, "queue"), registry=registry,
        )  # fmt: skip
        self.leads = Gauge(
            "mediaplatform_operator_leads", "1 in the pod that holds the Lease.", registry=registry
        )
        self.watch_lag = Gauge(
            "mediaplatform_operator_watch_lag_seconds",
            "How long the watch has not told of a change that a list shows.", registry=registry,
        )  # fmt: skip

    def passed(self, namespace: str, name: str, report: Report, seconds: float) -> None:
        result = "ready" if report.is_ready() else report.ready.reason
        self._passes.labels(namespace, name, result).inc()
        self._seconds.observe(seconds)
        for change in report.done:
            self._changes.labels(namespace, name, change.kind).inc()
        self._drift.labels(namespace, name).inc(len(report.drift))
        for condition in (*report.conditions.values(), report.ready):
            self._conditions.labels(namespace, name, condition.type).set(VALUES[condition.status])

    def failed(self, namespace: str, name: str) -> None:
        self._passes.labels(namespace, name, "crashed").inc()

    def counted(self, namespace: str, name: str, queue: str, depth: Depth, oldest: float) -> None:
        for state in ("visible", "in_flight", "delayed"):
            value = getattr(depth, state)
            self._messages.labels(namespace, name, queue, state).set(value)
        self._oldest.labels(namespace, name, queue).set(oldest)

    def forget(self, namespace: str, name: str) -> None:
        """A deleted resource leaves no series behind."""
        labels = {"namespace": namespace, "resource": name}
        for metric in (self._passes, self._changes, self._drift, self._conditions,
                       self._messages, self._oldest):  # fmt: skip
            metric.remove_by_labels(labels)

    def uncounted(self, namespace: str, name: str) -> None:
        """Figures that nobody renews are no figures: an HPA must not act on them."""
        labels = {"namespace": namespace, "resource": name}
        self._messages.remove_by_labels(labels)
        self._oldest.remove_by_labels(labels)
