"""`mediaplatform`. Exit codes: 0 done, 1 a step failed, 2 it cannot be done as asked."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from mediaplatform.errors import MediaPlatformError
from mediaplatform_local import commands
from mediaplatform_local.state import DEFAULT
from mediaplatform_operator.configuration import CHART

AWS = "S3, SQS and IAM as this machine reaches them"
PLUGIN = "kubectl-"  # `kubectl mediaplatform` runs a program of this name


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program, description="A MediaPlatform resource, on this machine and on a cluster."
    )
    verbs = parser.add_subparsers(required=True, metavar="COMMAND")

    def verb(
        name: str, what: Callable[[argparse.Namespace], int], about: str
    ) -> argparse.ArgumentParser:
        made = verbs.add_parser(name, help=about, description=about)
        made.set_defaults(run=what)
        return made

    def stateful(made: argparse.ArgumentParser) -> argparse.ArgumentParser:
        made.add_argument(
            "--state", type=Path, default=DEFAULT, help="folder of all data [%(default)s]"
        )
        return made

    def clustered(made: argparse.ArgumentParser) -> argparse.ArgumentParser:
        made.add_argument("-n", "--namespace", help="[the context's]")
        made.add_argument("--context", help="of the kubeconfig [its current one]")
        made.add_argument("--kubeconfig", help="[KUBECONFIG, or ~/.kube/config]")
        return made

    def named(made: argparse.ArgumentParser) -> argparse.ArgumentParser:
        made.add_argument("name", nargs="?", help="a resource on a cluster [this machine's]")
        made.add_argument("--aws-endpoint", help=AWS)
        return stateful(clustered(made))

    up = stateful(verb("up", commands.up, "Start everything; Ctrl-C stops it."))
    up.add_argument("file", type=Path, nargs="?", help="a MediaPlatform resource")
    up.add_argument(
        "--port", type=int, default=8080, help="of the page; S3 is on the next [%(default)s]"
    )
    named(verb("status", commands.status, "What runs, and how far its work is."))
    logs = stateful(verb("logs", commands.logs, "What the processes say."))
    logs.add_argument("component", nargs="*", help="api, ingest, sweep, postgres, valkey, s3+sqs")
    logs.add_argument("-f", "--follow", action="store_true")
    logs.add_argument("-n", "--lines", type=int, default=20, help="of each [%(default)s]")
    demo = stateful(verb("demo", commands.demo, "Share photos as two users would, and check it."))
    demo.add_argument("files", type=Path, nargs="*", help="images; samples if left out")
    reset = stateful(verb("reset", commands.reset, "Delete all data of a stopped platform."))
    reset.add_argument("--yes", action="store_true", help="do not ask")
    redrive = named(verb("redrive", commands.redrive, "Dead letters, back to their queue."))
    redrive.add_argument("--queue", required=True, choices=("ingest", "render"))
    redrive.add_argument("--max", type=int, help="messages [all that are there]")
    redrive.add_argument("--dry-run", action="store_true", help="only say what they are")
    policies = verb("policies", commands.policies, "The IAM policy of each component.")
    policies.add_argument("file", type=Path)
    policies.add_argument("--account", default="111122223333", help="AWS account [%(default)s]")
    plan = clustered(verb("plan", commands.plan, "What applying a resource would change."))
    plan.add_argument("-f", "--filename", dest="file", type=_file, required=True,
                      help="a MediaPlatform resource; - is standard input")  # fmt: skip
    plan.add_argument("-o", "--output", choices=("text", "json"), default="text")
    plan.add_argument("--exit-code", action="store_true", help="1 where anything would change")
    plan.add_argument("--aws-endpoint", help=AWS)
    plan.add_argument("--helm", default="helm", help="the program [%(default)s]")
    plan.add_argument("--chart", type=Path, default=CHART, help="of the services [%(default)s]")
    events = clustered(verb("events", commands.events, "What was told of a resource on a cluster."))
    events.add_argument("name")
    events.add_argument("-f", "--follow", action="store_true")
    return parser


def _file(name: str) -> Path:
    return Path("/dev/stdin" if name == "-" else name)


def main() -> int:
    program = "mediaplatform"
    if Path(sys.argv[0]).name.startswith(PLUGIN):
        program = f"kubectl {program}"
    arguments = _parser(program).parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background job ignores SIGINT
        signal.signal(number, signal.default_int_handler)
    try:
        code: int = arguments.run(arguments)
    except MediaPlatformError as fault:
        print(f"{program}: {fault.message}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0
    return code


if __name__ == "__main__":
    sys.exit(main())
