"""The load balancer before the cluster: one port of 127.0.0.1 for the nodes of all zones."""

from __future__ import annotations

from tests.cluster.control_plane import require_free
from tests.cluster.engine import Docker
from tests.cluster.layout import BALANCER, HTTPS_NODE_PORT, HTTPS_PORT, NAME, STATE

CONTAINER = f"{NAME}-balancer"

# A node that was lost gets no new connection after two failed checks; until then a
# connection that it does not take goes to another.
CONFIGURATION = """
defaults
  mode tcp
  timeout connect 1s
  timeout client 10m
  timeout server 10m
  timeout check 1s
  retries 3
  option redispatch 1
  default-server check inter 1s fall 2 rise 2 on-marked-down shutdown-sessions

listen https
  bind :8443
  balance roundrobin
"""


def start(docker: Docker, image: str, network: str, nodes: dict[str, str]) -> None:
    """Afterwards https://127.0.0.1:HTTPS_PORT is the ingress. Raises ClusterError."""
    if docker.exists("container", CONTAINER):
        docker("start", CONTAINER)
        return
    require_free(HTTPS_PORT, "MEDIAPLATFORM_CLUSTER_HTTPS_PORT")
    folder = STATE / "balancer"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # it runs as a user of its own
    (folder / "haproxy.cfg").write_text(CONFIGURATION + _servers(nodes))
    docker(
        "run", "--detach", "--name", CONTAINER, "--network", network,
        *(("--ip", BALANCER) if network == NAME else ()),
        "--publish", f"127.0.0.1:{HTTPS_PORT}:8443",
        "--cap-drop", "ALL", "--read-only", "--volume", f"{folder}:/etc/balancer:ro", image,
    )  # fmt: skip


def _servers(nodes: dict[str, str]) -> str:
    return "".join(
        f"  server {name} {address}:{HTTPS_NODE_PORT}\n" for name, address in nodes.items()
    )
