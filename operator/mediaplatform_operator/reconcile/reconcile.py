"""One pass over one resource: observe, plan, act, and report.

A pass never waits for anything to become ready: it reports how far things are, and the next pass
goes on from there. What it does in which order:

    queues -> buckets -> users -> secrets and evaluation servers -> connections checked
           -> migration -> services -> leftovers
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from mediaplatform.errors import InvalidInput
from mediaplatform_operator.cluster.keep import (
    HIDDEN,
    MANAGED_BY,
    OURS,
    Edit,
    act,
    edits,
    leftovers,
    owned_objects,
)
from mediaplatform_operator.cluster.objects import (
    DEPLOYMENT,
    INSTANCE,
    STATEFUL_SET,
    Key,
    Object,
    digest,
    owned_by,
    secret_data,
)
from mediaplatform_operator.reconcile import services, spread
from mediaplatform_operator.reconcile.conditions import Condition, refused
from mediaplatform_operator.reconcile.connection import Server, connect
from mediaplatform_operator.reconcile.parts import Guarded, Memory, Parts, Stop, effective, remark
from mediaplatform_operator.reconcile.pods import Pods
from mediaplatform_operator.reconcile.report import Report
from mediaplatform_operator.release import evaluation, secrets
from mediaplatform_operator.release.values import USERS, Wiring, external, values
from mediaplatform_operator.resource.load import parse
from mediaplatform_operator.wiring.iam import AccessKey
from mediaplatform_operator.wiring.model import ABSENT, EXISTENCE, Change
from mediaplatform_operator.wiring.names import Names


@dataclass(frozen=True)
class Checked:
    """The credentials that the services get, as they are now."""

    generated: secrets.Generated
    database_url: str
    redis_url: str


class Pass:
    def __init__(self, parts: Parts, thing: Object, memory: Memory) -> None:
        self._parts = parts
        self._thing = thing
        self._memory = memory
        self._uid: str = thing["metadata"]["uid"]
        self._live: dict[Key, Object] = {}
        self.wishes: list[Object] = []
        self.report = Report()

    async def run(self) -> Report:
        """Never raises a MediaPlatformError: what goes wrong is a condition."""
        try:
            resource = effective(parse(self._thing), self._parts.configuration)
        except InvalidInput as fault:
            self.report.put(refused("Ready", fault))
            return self.report
        if resource.spec.paused:
            said = "nothing is looked at or changed until spec.paused is false"
            self.report.put(Condition("Ready", "Unknown", "Paused", said))
            return self.report
        self._resource = resource
        self._observes = resource.spec.mode == "Observe"
        self._applying = digest(
            [self._thing["spec"], repr(self._parts.configuration), self._parts.chart.version]
        )
        try:
            await self._everything()
        except Stop:
            self._conclude(whole=False)
        else:
            self._conclude(whole=True)
        return self.report

    async def _everything(self) -> None:
        names, wiring = await self._wire()
        async with self._part("CacheReady", "DatabaseReady"):
            self._live = await owned_objects(self._parts.cluster, self._thing)
            keys = await self._users(names)
            made = self._generated()
            await self._prepare(made, keys)
        checked = await self._check(made)
        async with self._part("ServicesReady"):
            rendered = await self._render(wiring, checked, keys)
        if self._resource.spec.deploy == "External":
            self._leave_to_others()
        else:
            await self._deploy(rendered)
        await self._prune()

    # AWS

    async def _wire(self) -> tuple[Names, Wiring]:
        aws, resource = self._parts.aws, self._resource
        async with self._part("QueuesReady", "StorageReady"):
            wants = await aws.wanted(resource, uid=self._uid)
        for kind, condition in (("queue", "QueuesReady"), ("bucket", "StorageReady")):
            async with self._part(condition):
                changes = await aws.changes(resource, wants, kind)
                for change in self._announced(changes):
                    await aws.act(resource, change)
                    self.report.done.append(change)
                self._settle(condition, changes, f"every {kind} is as the resource says")
        names = wants.names
        self.report.inventory += [
            {"kind": wish.kind, "name": wish.name, "id": ""} for wish in wants.wishes
        ]
        async with self._part("QueuesReady"):
            if self._observes:
                return names, await aws.foreseen(resource, names)
            return names, await aws.wiring(resource, names)

    async def _users(self, names: Names) -> dict[str, AccessKey]:
        """The keys of the components' users; none where others give the pods their identity."""
        if self._parts.configuration.aws_identities == "External":
            return {}
        held = {component: self._key(component) for component in USERS}
        keys = {component: key for component, key in held.items() if key is not None}
        changes = await self._parts.aws.users(self._resource, names, keys)
        for change in changes:
            self._announce_key(change.setting)
        for change in self._announced(changes):
            component = change.setting
            keys[component] = await self._parts.aws.ensure_user(self._resource, names, component)
            self.report.done.append(change)
            # At once: a key that is not written down is lost.
            await self._apply(self._keys_secret(component, keys[component]))
        return keys

    def _announce_key(self, component: str) -> None:
        """A new key is written into its Secret."""
        key = Key("Secret", f"{self._name}-aws-{component}")
        is_there = key in self._live
        setting, before = ("data", HIDDEN) if is_there else (EXISTENCE, None)
        after = HIDDEN if is_there else "there"
        why = "the user gets another key" if is_there else ABSENT
        told = self.report.planned if self._observes else self.report.done
        told.append(Change(key.kind, key.name, setting, why, before, after))

    def _key(self, component: str) -> AccessKey | None:
        held = self._secret(f"{self._name}-aws-{component}")
        if "accessKeyId" not in held or "secretAccessKey" not in held:
            return None
        return AccessKey(held["accessKeyId"], held["secretAccessKey"])

    def _keys_secret(self, component: str, key: AccessKey) -> Object:
        data = {"accessKeyId": key.id, "secretAccessKey": key.secret}
        return self._dressed(secrets.secret(f"{self._name}-aws-{component}", data))

    # Secrets and servers

    def _generated(self) -> secrets.Generated:
        return secrets.generated(
            self._secret(f"{self._name}-generated"),
            tokens=self._secret(f"{self._name}-tokens"),
            database=self._secret(f"{self._name}-db"),
            redis=self._secret(f"{self._name}-redis"),
        )

    async def _prepare(self, made: secrets.Generated, keys: dict[str, AccessKey]) -> None:
        checksum = made.checksum(made.database_password, made.redis_password)
        wishes = secrets.manifests(self._resource, made) + evaluation.manifests(
            self._resource, self._parts.configuration, checksum
        )
        users = [self._keys_secret(component, key) for component, key in sorted(keys.items())]
        await self._keep([*(self._dressed(wish) for wish in wishes), *users])

    async def _check(self, made: secrets.Generated) -> Checked:
        spec, backends = self._resource.spec, self._parts.backends
        database = await self._connect(
            Server(
                "DatabaseReady",
                secrets.database_secret(self._resource),
                backends.check_database,
                inside=spec.database.external is None,
            )
        )
        redis = await self._connect(
            Server(
                "CacheReady",
                secrets.redis_secret(self._resource),
                backends.check_redis,
                inside=spec.redis.external is None,
            )
        )
        if database is None or redis is None:
            raise Stop
        return Checked(made, database, redis)

    async def _connect(self, server: Server) -> str | None:
        """The URL of the server, if a connection with it works."""
        held = self._wished_secret(server.secret) if server.inside else None
        if self._observes and held is not None:
            self.report.put(Condition(server.condition, "Unknown", "Observing", server.where))
            return held.get("url", "")
        stateful = self._live.get(Key(STATEFUL_SET.name, server.secret), {})
        url, condition = await connect(
            self._parts.cluster, self._namespace, server, held=held, stateful=stateful
        )
        self.report.put(condition)
        return url

    # The chart

    async def _render(
        self, wiring: Wiring, checked: Checked, keys: dict[str, AccessKey]
    ) -> list[Object]:
        made = checked.generated
        common = (checked.database_url, checked.redis_url)
        checksums = {
            name: made.checksum(*common, keys[name].id if name in keys else "", name)
            for name in USERS
        }
        checksums["api"] = made.checksum(checksums["api"], made.token_secret)
        checksums["migrate"] = secrets.where(checked.database_url)  # another database, another Job
        chosen = values(self._resource, wiring, self._parts.configuration, checksums)
        if self._resource.spec.deploy == "External":
            await self._keep([self._dressed(external(self._resource, chosen))])
            return []
        rendered = await self._parts.chart.render(self._name, self._namespace, chosen)
        return [self._dressed(thing) for thing in rendered]

    async def _deploy(self, rendered: list[Object]) -> None:
        self.report.endpoints = {
            "page": f"https://{self._resource.spec.host}",
            "api": f"https://{self._resource.spec.host}/api",
        }
        jobs = [thing for thing in rendered if thing["kind"] == "Job"]
        async with self._part("Migrated", "ServicesReady"):
            await self._keep(jobs)
            for job in jobs:
                done = services.migrated(self._live.get(Key.of(job), job))
                self.report.put(done)
                if done.status != "True" and not self._observes:
                    raise Stop
        async with self._part("ServicesReady"):
            wishes = [spread.kept(it, self._live) for it in rendered if it["kind"] != "Job"]
            await self._keep(wishes)
            found = [thing for thing in self._live.values() if thing["kind"] == DEPLOYMENT.name]
            pods = Pods(self._parts, self._namespace, f"{INSTANCE}={self._name}", found)
            await self._look_at_services(pods)
            await self._care_for_pods(pods, wishes)

    async def _look_at_services(self, pods: Pods) -> None:
        self.report.replicas = services.replicas(pods.deployments)
        spec = self._resource.spec
        least = {"api": spec.api.replicas.min, "ingest": spec.workers.ingest.replicas.min}
        condition = services.services(pods.deployments, least, ())
        if condition.status != "True":
            condition = services.services(pods.deployments, least, await pods.all())
        self.report.put(condition)

    async def _care_for_pods(self, pods: Pods, wishes: list[Object]) -> None:
        if self._observes:
            return
        workers = self._resource.spec.workers
        least = {"ingest": workers.ingest.replicas.min, "render": workers.render.replicas.min}
        self.report.restless = await pods.protect_busy(least)
        if self.report.conditions["ServicesReady"].status == "True":
            now = datetime.now(UTC)
            due = await pods.crowded(self._memory.uneven, now)
            self.report.restless |= self._memory.uneven.is_to_end
            todo = [wish for wish in wishes if Key.of(wish) in due]
            await self._do(spread.restart(wish, due[Key.of(wish)], now) for wish in todo)

    def _leave_to_others(self) -> None:
        said = f"spec.deploy is External: install the chart with ConfigMap {self._name}-values"
        for name in ("Migrated", "ServicesReady"):
            self.report.put(Condition(name, "True", "External", said))

    async def _prune(self) -> None:
        async with self._part("ServicesReady"):
            await self._do(leftovers(self.wishes, self._live))
        self.report.inventory += [
            {"kind": key.kind, "name": key.name, "id": thing["metadata"].get("uid", "")}
            for key, thing in sorted(self._live.items())
        ]

    # Tools

    def _part(self, *conditions: str) -> Guarded:
        return Guarded(self.report, conditions)

    async def _keep(self, wishes: list[Object]) -> None:
        """Have these objects be as wished."""
        self.wishes += wishes
        await self._do(
            await edits(self._parts.cluster, wishes, self._live, self._thing, self._memory.settled)
        )

    async def _do(self, todo: Iterable[Edit]) -> None:
        for edit in todo:
            chosen = self._announced(edit.changes, ours=edit.ours)
            if self._observes:
                continue
            after = await act(self._parts.cluster, edit)
            self.report.done += chosen
            self._live.pop(Key.of(edit.thing), None)
            if after is not None:
                self._live[Key.of(after)] = after
                self._memory.settled.note(edit.thing, after)

    async def _apply(self, wish: Object) -> None:
        after = await self._parts.cluster.apply(wish)
        self._live[Key.of(after)] = after

    def _announced(self, changes: Iterable[Change], *, ours: bool = False) -> Sequence[Change]:
        """The changes to make now; none where the resource is only observed.

        Where all was as wanted before, and it is not we who want something else, others did it.
        """
        chosen = tuple(changes)
        if self._observes:
            self.report.planned += chosen
            return ()
        if self._memory.applied == self._applying and not ours:
            self.report.drift += chosen
        return chosen

    def _settle(self, condition: str, changes: Iterable[Change], said: str) -> None:
        found = tuple(changes)
        if self._observes and found:
            said = f"{len(found)} settings would change; status.plan lists them"
            self.report.put(Condition(condition, "False", "WouldChange", said))
        else:
            self.report.put(Condition(condition, "True", "AsWanted", said))

    def _secret(self, name: str) -> dict[str, str]:
        return secret_data(self._live.get(Key("Secret", name)))

    def _wished_secret(self, name: str) -> dict[str, str]:
        """As it is, or will be."""
        return secret_data(
            next((it for it in self.wishes if Key.of(it) == Key("Secret", name)), None)
        )

    def _dressed(self, thing: Object) -> Object:
        """In the resource's namespace, with our labels, and owned by the resource."""
        meta = thing["metadata"]
        labels = {
            **meta.get("labels", {}),
            INSTANCE: self._name,
            "app.kubernetes.io/part-of": "mediaplatform",
            MANAGED_BY: OURS,
        }
        dressed = {**thing, "metadata": {**meta, "namespace": self._namespace, "labels": labels}}
        return owned_by(dressed, self._thing)

    @property
    def _name(self) -> str:
        name: str = self._thing["metadata"]["name"]
        return name

    @property
    def _namespace(self) -> str:
        namespace: str = self._thing["metadata"]["namespace"]
        return namespace

    def _conclude(self, *, whole: bool) -> None:
        report = self.report
        report.whole = whole
        if self._observes:
            total = len(report.planned)
            said = f"{total} changes would be made: status.plan lists them; nothing was changed"
            report.put(Condition("Ready", "Unknown", "Observing", said))
            return
        report.remark = remark(self._resource)
        self._say_drift(whole=whole)
        if report.is_ready() or self._memory.applied == self._applying:
            self._memory.applied = self._applying
            report.applied = self._applying

    def _say_drift(self, *, whole: bool) -> None:
        drift = self.report.drift
        if drift:
            shown = ", ".join(sorted({f"{item.resource} {item.setting}" for item in drift})[:5])
            said = f"changed by others, and put back: {shown}"
            self.report.put(Condition("DriftDetected", "True", "PutBack", said))
        elif whole:
            said = "nothing differs from the resource"
            self.report.put(Condition("DriftDetected", "False", "InStep", said))
