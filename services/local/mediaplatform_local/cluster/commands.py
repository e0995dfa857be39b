"""What each command does on a cluster."""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
from contextlib import AbstractAsyncContextManager, closing
from dataclasses import replace
from pathlib import Path

from mediaplatform.errors import ConfigurationError, InvalidInput
from mediaplatform_local.cluster import show
from mediaplatform_local.cluster.installed import installed
from mediaplatform_local.cluster.plan import Plan, Unconnected
from mediaplatform_local.cluster.plan import plan as compute
from mediaplatform_local.cluster.reach import Reach, reach
from mediaplatform_operator.cluster.objects import Object
from mediaplatform_operator.reconcile.aws import Aws
from mediaplatform_operator.reconcile.parts import Parts
from mediaplatform_operator.release.chart import Chart
from mediaplatform_operator.resource.load import parse, read


def plan(arguments: argparse.Namespace) -> int:
    """0, or with --exit-code 1 where something would change."""
    thing = read(arguments.file)
    parse(thing)
    chart = _chart(arguments.chart, arguments.helm)
    found = asyncio.run(_plan(arguments, thing, chart))
    if arguments.output == "json":
        print(json.dumps(show.document(found), indent=2))
    else:
        print(show.text(found))
    return 1 if arguments.exit_code and found.steps else 0


async def _plan(arguments: argparse.Namespace, thing: Object, chart: Chart) -> Plan:
    async with _reach(arguments) as there:
        thing = _placed(thing, there.namespace, forced=arguments.namespace is not None)
        operator = await installed(there.cluster, thing["metadata"]["namespace"])
        with closing(Aws(arguments.aws_endpoint)) as aws:
            configuration = replace(operator.configuration, chart=arguments.chart)
            parts = Parts(there.cluster, aws, Unconnected(), chart, configuration)
            found = await compute(parts, thing)
    return replace(found, remarks=operator.remarks + found.remarks)


def _reach(arguments: argparse.Namespace) -> AbstractAsyncContextManager[Reach]:
    return reach(arguments.kubeconfig, arguments.context, arguments.namespace)


def _chart(folder: Path, helm: str) -> Chart:
    if shutil.which(helm) is None:
        raise ConfigurationError(
            f"there is no {helm}, by which the services' chart is rendered: install helm, or name "
            "it by --helm"
        )
    if not (folder / "Chart.yaml").is_file():
        raise ConfigurationError(f"there is no chart in {folder}: name its folder by --chart")
    return Chart(folder, helm)


def _placed(thing: Object, namespace: str, *, forced: bool) -> Object:
    """In the namespace that it names itself, or else in this one."""
    if "apiVersion" not in thing:
        raise InvalidInput("apiVersion: is missing")
    named = thing["metadata"].get("namespace")
    if forced and named not in (None, namespace):
        raise InvalidInput(
            f"the file's namespace is {named}, and --namespace says {namespace}: leave one out"
        )
    return {**thing, "metadata": {**thing["metadata"], "namespace": named or namespace}}
