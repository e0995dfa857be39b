"""`kubectl mediaplatform status`, `events` and `redrive`, as kubectl finds the plugin."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from mediaplatform_local.redrive import policy
from mediaplatform_operator.wiring.names import Names
from tests.cluster.suite.product import REGION, Emulator, Platform

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def engineer(whole: Platform, emulator: Emulator) -> Run:
    """With the policy that is printed for who redrives."""
    iam, user = emulator.client("iam"), f"engineer-{uuid4().hex[:8]}"
    names = Names("", "", f"{whole.name}-{whole.name}", REGION, "*")
    iam.create_user(UserName=user)
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps(policy(names)))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    environment = {
        **os.environ,
        "KUBECONFIG": str(whole.kubectl.kubeconfig),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [whole.kubectl.program, "mediaplatform", *words, "--namespace", whole.name],
            env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    return run


def test_status_shows_where_a_resource_stands(
    whole: Platform, engineer: Run, emulator: Emulator
) -> None:
    whole.wait("Ready", seconds=90)
    done = engineer("status", whole.name, "--aws-endpoint", emulator.endpoint)
    assert done.returncode == 0, done.stdout + done.stderr
    for said in (f"{whole.name}/{whole.name}", "Ready", "QueuesReady", f"https://{whole.host}",
                 "ingest-dead", "api "):  # fmt: skip
        assert said in done.stdout
    blind = engineer("status", whole.name)  # pods reach that endpoint, this machine does not
    assert "queues were not counted" in blind.stdout
    assert blind.returncode == 0


def test_events_tell_what_the_operator_did(whole: Platform, engineer: Run) -> None:
    done = engineer("events", whole.name)
    assert done.returncode == 0, done.stderr
    assert f"MediaPlatform {whole.name}: " in done.stdout
    moments = [line.split()[0] for line in done.stdout.splitlines()]
    assert moments == sorted(moments)


def test_dead_letters_of_a_resource_are_moved_back(
    whole: Platform, engineer: Run, emulator: Emulator
) -> None:
    sqs = emulator.client("sqs")
    dead = whole.queue_url("ingest-dead")
    key = f"incoming/{uuid4()}"
    record = {"eventVersion": "2.1", "eventName": "ObjectRemoved:Delete",
              "s3": {"object": {"key": key, "sequencer": "01"}}}  # fmt: skip
    sqs.send_message(QueueUrl=dead, MessageBody=json.dumps({"Records": [record]}))
    words = ("redrive", whole.name, "--queue", "ingest", "--aws-endpoint", emulator.endpoint)
    done = engineer(*words)
    assert done.returncode == 0, done.stderr
    assert "moved 1 messages" in done.stdout
    assert f"object removed  {key}" in done.stdout
    assert "moved 0 messages" in engineer(*words).stdout


def test_a_resource_that_is_not_there_is_named(whole: Platform, engineer: Run) -> None:
    done = engineer("status", "nobody")
    assert done.returncode == 2
    said = f"kubectl mediaplatform: there is no MediaPlatform nobody in namespace {whole.name}"
    assert done.stderr.strip().startswith(said)
