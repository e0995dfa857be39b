"""From a Secret to a server that answers: PostgreSQL and Redis, before anything depends on them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from mediaplatform.errors import MediaPlatformError, NotFound, Unavailable
from mediaplatform_operator.cluster.objects import POD, SECRET, Object, secret_data
from mediaplatform_operator.cluster.port import Cluster
from mediaplatform_operator.reconcile import services
from mediaplatform_operator.reconcile.conditions import Condition, refused


@dataclass(frozen=True)
class Server:
    condition: str  # that tells of it: 'DatabaseReady'
    secret: str  # with the key `url`; inside, Service and StatefulSet have the same name
    check: Callable[[str], Awaitable[None]]
    inside: bool  # in the cluster, and ours

    @property
    def where(self) -> str:
        return "in the cluster, for evaluation" if self.inside else f"as Secret {self.secret} says"


async def connect(
    cluster: Cluster,
    namespace: str,
    server: Server,
    *,
    held: Mapping[str, str] | None,
    stateful: Object,
) -> tuple[str | None, Condition]:
    """The URL of a server that answers, and the condition that says so or why not.

    `held` is what our own Secret holds; where it is None, the Secret is somebody else's and is read
    here. `stateful` is the StatefulSet of a server inside, empty where there is none.
    """
    try:
        if held is None:
            held = await _read(cluster, namespace, server.secret)
        if "url" not in held:
            raise NotFound(
                f"Secret {server.secret} has no key `url`: create it with `kubectl -n {namespace} "
                f"create secret generic {server.secret} --from-literal=url=…`"
            )
        await _reach(namespace, server, held["url"])
    except Unavailable as fault:
        starting = await _starting(cluster, namespace, server, stateful) if server.inside else None
        return None, starting or refused(server.condition, fault)
    except MediaPlatformError as fault:
        return None, refused(server.condition, fault)
    return held["url"], Condition(server.condition, "True", "Connected", f"answers, {server.where}")


async def _read(cluster: Cluster, namespace: str, name: str) -> dict[str, str]:
    found = await cluster.get(SECRET, namespace, name)
    if found is None:
        raise NotFound(
            f"there is no Secret {name} in namespace {namespace}: create it with the key `url`"
        )
    return secret_data(found)


async def _reach(namespace: str, server: Server, url: str) -> None:
    name = server.secret
    if server.inside:  # the name is the Service's, and the operator is in another namespace
        url = url.replace(f"@{name}:", f"@{name}.{namespace}.svc:")
    try:
        await server.check(url)
    except MediaPlatformError as fault:
        raise type(fault)(f"{fault.message} (Secret {name})") from fault


async def _starting(
    cluster: Cluster, namespace: str, server: Server, stateful: Object
) -> Condition | None:
    """How far a server in the cluster is; None for one that runs."""
    if stateful.get("status", {}).get("readyReplicas"):
        return None
    labels = stateful["spec"]["selector"]["matchLabels"] if stateful else {}
    chosen = ",".join(f"{label}={value}" for label, value in labels.items())
    pods = await cluster.list(POD, namespace, chosen)
    return services.starting(server.condition, server.secret, pods)
