"""The product on the cluster: its operator, and resources in namespaces of their own."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from mediaplatform_operator.wiring.iam import policy, user_policy
from mediaplatform_operator.wiring.names import Names
from tests.cluster import certificates
from tests.cluster.kubectl import Kubectl, secret
from tests.cluster.layout import DOMAIN, PRODUCT, ROOT, STATE
from tests.cluster.run import ClusterError, run, until
from tests.support.helm import helm

OPERATOR = "mediaplatform-operator"  # release, namespace and account
OPERATOR_USER = "operator"
ENDPOINT = "http://aws.aws.svc:4566"
PUBLIC_ENDPOINT = f"https://s3.{DOMAIN}"
REGION = "us-east-1"
GROUP = "mediaplatform.io/v1alpha1"
Object = dict[str, Any]
# Windows short enough to be watched, and room for several platforms: each node counts the cores of
# the one machine that all of them share. Everything else is as it ships.
SERVICES = {
    "api": {"resources": {"requests": {"cpu": "50m"}}},
    "workers": {"ingest": {"resources": {"requests": {"cpu": "100m"}}}},
    "autoscaling": {
        "behaviour": {
            "up": {"windowSeconds": 0, "percent": 100, "pods": 4, "periodSeconds": 5},
            "down": {"windowSeconds": 20, "pods": 2, "periodSeconds": 10},
        }
    },
    "topology": {"evictAfterSeconds": 5},
    "ingress": {"tls": {"secretName": "tls"}},
}


@dataclass(frozen=True)
class Product:
    kubectl: Kubectl
    emulator: Emulator

    def install(self, **values: Any) -> None:
        """The operator, from its chart, with an AWS user that has the operator's policy."""
        self.namespace(OPERATOR)
        self.emulator.operator_user()
        key = self._key()
        chosen = {
            "image": {"tag": "test"},
            "aws": {
                "secret": "aws",
                "endpoint": ENDPOINT,
                "publicEndpoint": PUBLIC_ENDPOINT,
                "identities": "Users",
            },
            "ingressClass": "traefik",
            "services": {"values": SERVICES},
            "observeSeconds": 60,
            **values,
        }
        self.helm(
            "upgrade", "--install", OPERATOR, str(ROOT / "charts/mediaplatform-operator"),
            "--values", "-", stdin=json.dumps(chosen),
        )  # fmt: skip
        # A pod of other images, or with another key, would be the one of an earlier run.
        mark = {"suite": f"{PRODUCT.read_text()} {key}"}
        patch = {"spec": {"template": {"metadata": {"annotations": mark}}}}
        self.kubectl("patch", "-n", OPERATOR, f"deployment/{OPERATOR}", "-p", json.dumps(patch))
        self.kubectl(
            "rollout", "status", "-n", OPERATOR, f"deployment/{OPERATOR}", "--timeout", "120s",
            timeout=125,
        )  # fmt: skip

    def _key(self) -> str:
        """The id of the operator's key, which is the one of an earlier run if it still works."""
        there = self.kubectl(
            "get", "secret", "-n", OPERATOR, "aws", "--ignore-not-found", "-o", "json"
        )
        held = json.loads(there)["data"] if there else {}
        key = tuple(Platform.decoded(held[name]) for name in ("accessKeyId", "secretAccessKey")
                    if name in held)  # fmt: skip
        if len(key) != 2 or not self.emulator.knows(key):
            key = self.emulator.operator_key()
            self.kubectl.secret(OPERATOR, "aws", accessKeyId=key[0], secretAccessKey=key[1])
        return key[0]

    def pods(self) -> list[str]:
        """The operator's, by name."""
        return self.kubectl("get", "pods", "-n", OPERATOR, "-o", "name").split()

    def kill(self) -> None:
        """Every pod of the operator, at once and without a word."""
        self.kubectl("delete", "-n", OPERATOR, *self.pods(), "--force", "--grace-period=0")

    def leading(self, *, seconds: float) -> None:
        """Wait until an operator holds the Lease. Raises ClusterError."""

        def leads() -> bool:
            lease = self.kubectl.get("lease", "-n", OPERATOR, OPERATOR)
            holder = lease["spec"].get("holderIdentity")
            if holder and f"pod/{holder}" not in self.pods():
                # As if it had expired: the rounds of a test need not wait for it each time.
                self.kubectl("patch", "lease", "-n", OPERATOR, OPERATOR, "--type=merge",
                             "-p", '{"spec": {"holderIdentity": null}}')  # fmt: skip
                return False
            return bool(holder)

        until(leads, seconds=seconds, what="no operator holds the Lease")

    def helm(self, *words: str, stdin: str | None = None, namespace: str = OPERATOR) -> str:
        where = ("--kubeconfig", str(self.kubectl.kubeconfig), "--namespace", namespace)
        return run(helm(), *words, *where, stdin=stdin, timeout=300)

    def namespace(self, name: str) -> None:
        """Under the restricted profile, with the ingress's certificate, open to the operator."""
        labels = {"pod-security.kubernetes.io/enforce": "restricted", "suite": "mediaplatform"}
        meta = {"name": name, "labels": labels}
        things: list[Object] = [{"apiVersion": "v1", "kind": "Namespace", "metadata": meta}]
        if name != OPERATOR:
            things += [certificates.secret(name, "tls"), self._grant(name)]
        self.kubectl.apply_all(things)

    def _grant(self, namespace: str) -> Object:
        """The operator's right to the Secrets of a namespace."""
        return {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": OPERATOR, "namespace": namespace},
            "subjects": [{"kind": "ServiceAccount", "name": OPERATOR, "namespace": OPERATOR}],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                        "name": f"{OPERATOR}-secrets"},
        }  # fmt: skip

    @contextmanager
    def platform(self, **spec: Any) -> Iterator[Platform]:
        """A resource in a namespace of its own, gone at the end with all that it made."""
        with self.room() as platform:
            platform.apply(spec)
            yield platform

    @contextmanager
    def room(self) -> Iterator[Platform]:
        """The same, with nothing applied yet."""
        name = f"p{uuid4().hex[:6]}"
        self.namespace(name)
        try:
            yield Platform(self, name)
        finally:
            self.kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")


@dataclass(frozen=True)
class Platform:
    """One resource, of the same name as its namespace."""

    product: Product
    name: str

    @property
    def kubectl(self) -> Kubectl:
        return self.product.kubectl

    @property
    def host(self) -> str:
        return f"{self.name}.{DOMAIN}"

    @property
    def prefix(self) -> str:
        """What the names of its queues and users begin with."""
        return f"{self.name}-{self.name}-"

    def bucket(self, kind: str) -> str:
        """The full name of its bucket for 'uploads' or 'media'."""
        names = (item["name"] for item in self.resource()["status"]["inventory"])
        return str(next(name for name in names if name.endswith(f"-{kind}")))

    def queue_url(self, name: str) -> str:
        sqs = self.product.emulator.client("sqs")
        return str(sqs.get_queue_url(QueueName=f"{self.prefix}{name}")["QueueUrl"])

    def apply(self, spec: Object) -> None:
        meta = {"name": self.name, "namespace": self.name}
        self.kubectl.apply(
            json.dumps(
                {"apiVersion": GROUP, "kind": "MediaPlatform", "metadata": meta,
                 "spec": {"host": self.host, **spec}}
            )
        )  # fmt: skip

    def change(self, spec: Object) -> None:
        """These parts of the spec; what is not named stays."""
        patch = json.dumps({"spec": spec})
        self("patch", "mediaplatform", self.name, "--type=merge", "--patch", patch)

    def external(self) -> Object:
        """The parts of a spec for a database and a Redis of others, as in production."""
        cloud = json.loads((STATE / "cloud.json").read_text())
        admin = cloud["postgres"]["password"]
        self.sql(f"CREATE DATABASE {self.name}", database="postgres")
        database = f"postgresql://postgres:{admin}@postgres.aws.svc:5432/{self.name}"
        number = int(self.name[1:], 16) % 16
        cache = f"redis://:{cloud['valkey']['password']}@valkey.aws.svc:6379/{number}"
        self.kubectl.apply_all(
            [secret(self.name, "db", url=database), secret(self.name, "cache", url=cache)]
        )
        return {
            "database": {"external": {"secret": "db"}},
            "redis": {"external": {"secret": "cache"}},
        }

    def sql(self, statement: str, *, database: str = "", **named: str) -> list[list[str]]:
        """Rows of the external database; `:'name'` is a value, quoted. Raises ClusterError."""
        admin = json.loads((STATE / "cloud.json").read_text())["postgres"]["password"]
        values = {**named, "ON_ERROR_STOP": "1"}
        text = self.kubectl(
            "exec", "-i", "-n", "aws", "deployment/postgres", "--", "env", f"PGPASSWORD={admin}",
            "psql", "-h", "127.0.0.1", "-U", "postgres", "-d", database or self.name,
            *(f"--set={name}={value}" for name, value in values.items()),
            "--quiet", "--no-align", "--tuples-only", stdin=statement,
        )  # fmt: skip
        return [line.split("|") for line in text.splitlines()]

    def pods(self, component: str) -> list[Object]:
        """Those of a component that are not on their way out."""
        chosen = f"app.kubernetes.io/component={component}"
        found = self.get("pods", "-l", chosen)["items"]
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def waits(self, pod: str) -> str:
        """Why its container does not run; nothing where there is no such pod."""
        return self("get", "pod", pod, "--ignore-not-found", "-o",
                    "jsonpath={.status.containerStatuses[0].state.waiting.reason}")  # fmt: skip

    def replicas(self, component: str) -> int:
        """How many its Deployment shall have."""
        return int(self.get(f"deployment/{self.name}-{component}")["spec"]["replicas"])

    def secret(self, name: str, **values: str) -> None:
        self.kubectl.secret(self.name, name, **values)

    def secret_values(self, name: str) -> dict[str, str]:
        data = self.get("secret", name)["data"]
        return {key: self.decoded(value) for key, value in data.items()}

    @staticmethod
    def decoded(value: str) -> str:
        return base64.b64decode(value).decode()

    def __call__(self, *words: str, timeout: float = 60) -> str:
        """kubectl in the namespace."""
        return self.kubectl("--namespace", self.name, *words, timeout=timeout)

    def get(self, *words: str) -> Any:
        return self.kubectl.get("--namespace", self.name, *words)

    def resource(self) -> Object:
        found: Object = self.get("mediaplatform", self.name)
        return found

    def conditions(self) -> dict[str, Object]:
        found = self.resource().get("status", {}).get("conditions", [])
        return {item["type"]: item for item in found}

    def wait(self, kind: str, status: str = "True", *, seconds: float, reason: str = "") -> Object:
        """The condition, once it is so for the newest generation. Raises ClusterError."""

        def there() -> Object | None:
            resource = self.resource()
            for item in resource.get("status", {}).get("conditions", []):
                if (
                    item["type"] == kind
                    and item["status"] == status
                    and item.get("observedGeneration") == resource["metadata"]["generation"]
                    and (not reason or item["reason"] == reason)
                ):
                    return dict(item)
            return None

        return until(there, seconds=seconds, what=lambda: f"{kind} is not {status}: {self.say()}")

    def say(self) -> str:
        return "; ".join(
            f"{name} {item['status']} {item['reason']}: {item['message']}"
            for name, item in self.conditions().items()
        )

    def events(self) -> list[tuple[str, str]]:
        found = self.get("events")["items"]
        return [(item["reason"], item["message"]) for item in found]


class Emulator:
    """S3, SQS and IAM as their administrator sees them, over the ingress."""

    any_names = Names("*-uploads", "*-media", "*", REGION, "*")

    def __init__(self, endpoint: str, root: tuple[str, str]) -> None:
        self.endpoint = endpoint
        self.root = root

    def client(self, service: str, key: tuple[str, str] | None = None) -> Any:
        access, secret = key or self.root
        more: Any = {"s3": {"addressing_style": "path"}} if service == "s3" else {}
        return boto3.client(
            service, region_name=REGION, endpoint_url=self.endpoint, aws_access_key_id=access,
            aws_secret_access_key=secret,
            config=Config(connect_timeout=3, read_timeout=15, retries={"total_max_attempts": 3},
                          signature_version="s3v4" if service == "s3" else None, **more),
        )  # fmt: skip

    def knows(self, key: tuple[str, ...]) -> bool:
        try:
            self.client("sts", (key[0], key[1])).get_caller_identity()
        except ClientError:
            return False
        return True

    def operator_user(self) -> None:
        """A user with the operator's policy for every resource, and nothing else."""
        iam = self.client("iam")
        with suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_user(UserName=OPERATOR_USER)
        documents = policy("operator", self.any_names, purge=True), user_policy(self.any_names)
        for number, document in enumerate(documents):
            text = json.dumps(document)
            iam.put_user_policy(
                UserName=OPERATOR_USER, PolicyName=f"p{number}", PolicyDocument=text
            )

    def operator_key(self) -> tuple[str, str]:
        """A new key of that user; any older one is void."""
        iam = self.client("iam")
        for old in iam.list_access_keys(UserName=OPERATOR_USER)["AccessKeyMetadata"]:
            iam.delete_access_key(UserName=OPERATOR_USER, AccessKeyId=old["AccessKeyId"])
        made = iam.create_access_key(UserName=OPERATOR_USER)["AccessKey"]
        return made["AccessKeyId"], made["SecretAccessKey"]


@contextmanager
def forwarded(kubectl: Kubectl, namespace: str, target: str, port: int) -> Iterator[str]:
    """The URL of a port of a Service or pod on this machine."""
    forward = subprocess.Popen(
        [kubectl.program, "--kubeconfig", kubectl.kubeconfig, "--namespace", namespace,
         "port-forward", target, f":{port}", "--address", "127.0.0.1"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        assert forward.stdout is not None
        line = forward.stdout.readline()
        if "Forwarding from" not in line:
            raise ClusterError(f"no way to {namespace}/{target}: {line}")
        yield f"http://{line.split(' -> ')[0].removeprefix('Forwarding from ').strip()}"
    finally:
        forward.terminate()
        forward.communicate(timeout=10)
