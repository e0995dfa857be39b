"""python -m tests.cluster up | down | load | kubeconfig"""

from __future__ import annotations

import argparse
import sys

from tests.cluster import cluster
from tests.cluster.layout import KUBECONFIG
from tests.cluster.run import ClusterError

COMMANDS = {"up": cluster.up, "down": cluster.down, "load": cluster.load}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=cluster.__doc__)
    parser.add_argument("command", choices=[*COMMANDS, "kubeconfig"])
    command = parser.parse_args().command
    try:
        if command in COMMANDS:
            COMMANDS[command]()
    except ClusterError as fault:
        print(f"cluster: {fault}", file=sys.stderr)
        return 1
    if command != "down":
        print(f"KUBECONFIG={KUBECONFIG}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
