"""What each command does on a cluster."""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
from contextlib import AbstractAsyncContextManager, closing
from dataclasses import replace
from pathlib import Path

from mediaplatform.errors import ConfigurationError, InvalidInput, MediaPlatformError
from mediaplatform_local.cluster import events as happened
from mediaplatform_local.cluster import show
from mediaplatform_local.cluster import status as view
from mediaplatform_local.cluster.installed import installed
from mediaplatform_local.cluster.plan import Plan, Unconnected
from mediaplatform_local.cluster.plan import plan as compute
from mediaplatform_local.cluster.reach import Reach, platform, reach
from mediaplatform_local.redrive import Redrive, carry_out
from mediaplatform_operator.cluster.nodes import Nodes
from mediaplatform_operator.cluster.objects import Object
from mediaplatform_operator.cluster.port import Cluster
from mediaplatform_operator.reconcile.aws import Aws
from mediaplatform_operator.reconcile.parts import Parts, effective
from mediaplatform_operator.release.chart import Chart
from mediaplatform_operator.resource.load import parse, read
from mediaplatform_operator.resource.model import MediaPlatform
from mediaplatform_operator.wiring.clients import Clients
from mediaplatform_operator.wiring.names import Names


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
            parts = Parts(
                there.cluster, aws, Unconnected(), chart, configuration, Nodes(there.cluster)
            )
            found = await compute(parts, thing)
    return replace(found, remarks=operator.remarks + found.remarks)


def status(arguments: argparse.Namespace) -> int:
    """1 where the resource is not ready."""
    thing, text = asyncio.run(_status(arguments))
    print(text)
    return 0 if view.is_ready(thing) else 1


async def _status(arguments: argparse.Namespace) -> tuple[Object, str]:
    async with _reach(arguments) as there:
        thing = await platform(there.cluster, there.namespace, arguments.name)
        told = await happened.events(there.cluster, thing)
        resource = await _effective(there.cluster, thing)
        depths, note = None, ""
        with closing(Aws(arguments.aws_endpoint)) as aws:
            try:
                depths = await aws.depths(resource, _names(resource, thing))
            except MediaPlatformError as fault:  # who sees the cluster need not see AWS
                note = fault.message
    return thing, view.text(thing, depths, told, note)


def events(arguments: argparse.Namespace) -> int:
    return asyncio.run(_events(arguments))


async def _events(arguments: argparse.Namespace) -> int:
    async with _reach(arguments) as there:
        if arguments.follow:
            async for told in happened.follow(there.cluster, there.namespace, arguments.name):
                print(*happened.lines([told]), sep="\n", flush=True)
        thing = await platform(there.cluster, there.namespace, arguments.name)
        for line in happened.lines(await happened.events(there.cluster, thing)):
            print(line)
    return 0


def redrive(arguments: argparse.Namespace) -> int:
    carry_out(asyncio.run(_way(arguments)), arguments.max, dry_run=arguments.dry_run)
    return 0


async def _way(arguments: argparse.Namespace) -> Redrive:
    async with _reach(arguments) as there:
        thing = await platform(there.cluster, there.namespace, arguments.name)
        resource = await _effective(there.cluster, thing)
    names, aws = _names(resource, thing), resource.spec.aws
    clients = Clients.create(aws.region, endpoint=arguments.aws_endpoint or aws.endpoint)
    return Redrive(clients, names.dead(arguments.queue), names.queue(arguments.queue))


async def _effective(cluster: Cluster, thing: Object) -> MediaPlatform:
    operator = await installed(cluster, thing["metadata"]["namespace"])
    return effective(parse(thing), operator.configuration)


def _names(resource: MediaPlatform, thing: Object) -> Names:
    """Of queues, which do not depend on the account."""
    return Names.of(resource, uid=thing["metadata"]["uid"], account="")


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
