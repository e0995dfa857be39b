"""What a pass works with, and how the fault of one part stops what depends on it."""

from __future__ import annotations

from dataclasses import dataclass, field

from mediaplatform.errors import MediaPlatformError
from mediaplatform_operator.cluster.keep import Settled
from mediaplatform_operator.cluster.nodes import Nodes
from mediaplatform_operator.cluster.port import Cluster
from mediaplatform_operator.configuration import Configuration
from mediaplatform_operator.reconcile.aws import Aws
from mediaplatform_operator.reconcile.backends import Backends
from mediaplatform_operator.reconcile.conditions import refused
from mediaplatform_operator.reconcile.jobs import OldestJobs, oldest_jobs
from mediaplatform_operator.reconcile.report import Report
from mediaplatform_operator.reconcile.spread import Uneven
from mediaplatform_operator.release.chart import Chart
from mediaplatform_operator.resource.model import MediaPlatform


@dataclass(frozen=True)
class Parts:
    """Everything a pass works with."""

    cluster: Cluster
    aws: Aws
    backends: Backends
    chart: Chart
    configuration: Configuration
    nodes: Nodes
    oldest_jobs: OldestJobs = oldest_jobs


@dataclass
class Memory:
    """What is known of a resource between two passes; losing it costs reads, nothing else."""

    settled: Settled = field(default_factory=Settled)
    applied: str | None = None
    uneven: Uneven = field(default_factory=Uneven)


class Stop(Exception):
    """A part is not ready, and what depends on it must wait."""


class Guarded:
    """What goes wrong inside makes these conditions false, and stops what depends on them."""

    def __init__(self, report: Report, conditions: tuple[str, ...]) -> None:
        self._report = report
        self._conditions = conditions

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, kind: object, fault: BaseException | None, trace: object) -> None:
        if isinstance(fault, MediaPlatformError):
            for name in self._conditions:
                self._report.put(refused(name, fault))
            raise Stop from fault


def effective(resource: MediaPlatform, configuration: Configuration) -> MediaPlatform:
    """The resource with what the operator's own configuration gives for all of them."""
    spec = resource.spec
    aws = spec.aws
    if aws.endpoint is None and configuration.aws_endpoint is not None:
        public = aws.public_endpoint or configuration.aws_public_endpoint
        aws = aws.model_copy(
            update={"endpoint": configuration.aws_endpoint, "public_endpoint": public}
        )
    ingress = spec.ingress
    if ingress.class_name is None and configuration.ingress_class is not None:
        ingress = ingress.model_copy(update={"class_name": configuration.ingress_class})
    spec = spec.model_copy(update={"aws": aws, "ingress": ingress})
    return resource.model_copy(update={"spec": spec})


def remark(resource: MediaPlatform) -> str:
    inside = [
        label
        for label, external in (
            ("PostgreSQL", resource.spec.database.external),
            ("Redis", resource.spec.redis.external),
        )
        if external is None
    ]
    if not inside:
        return "every part is ready"
    return (
        f"every part is ready; {' and '.join(inside)} run in the cluster, for evaluation: for "
        "production give spec.database.external and spec.redis.external"
    )
