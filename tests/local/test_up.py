"""The whole product on one machine, through its commands and its HTTP."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from tests.support.platform import photo
from tests.support.up import (
    COMMAND,
    RESOURCE,
    Up,
    alive,
    log_lines,
    mediaplatform,
    two_free_ports,
    until,
    up,
)

from mediaplatform.errors import InvalidInput, Unavailable
from mediaplatform_local.client import Client
from mediaplatform_local.servers.emulator import ROOT_KEY
from mediaplatform_operator.wiring.clients import Clients


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with up(tmp_path_factory.mktemp("platform") / "state") as running:
        yield running


def can_register(client: Client) -> bool:
    try:
        client.register("Ada")
    except Unavailable:
        return False
    return True


def test_the_demo_shares_the_samples(platform: Up) -> None:
    done = mediaplatform("demo", "--state", platform.state.folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "everything worked" in done.stdout


def test_the_demo_fails_when_a_file_cannot_be_shared(platform: Up, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(photo(shade=3)[:3000])
    done = mediaplatform("demo", "--state", platform.state.folder, broken)
    assert done.returncode == 1
    assert "1 of 1 failed" in done.stdout


def test_status_shows_processes_queues_and_items(platform: Up) -> None:
    done = mediaplatform("status", "--state", platform.state.folder)
    assert done.returncode == 0, done.stderr
    for word in ("api", "ingest", "sweep", "postgres", "valkey", "s3+sqs", "ingest dead"):
        assert word in done.stdout


def test_logs_are_json_with_the_ids_that_tell_a_story(platform: Up) -> None:
    with platform.client() as ada:
        ada.register("Ada")
        media_id = ada.upload_bytes(photo(shade=5), "story.jpg")
        ada.wait(media_id, seconds=30, tiers=2)

    def published() -> list[dict[str, object]]:
        lines = log_lines(platform.state.log("ingest"))
        mine = [line for line in lines if line.get("media_id") == media_id]
        return [line for line in mine if line["event"] == "second tier published"]

    until(lambda: len(published()) == 1, seconds=10, what="the item's line in the log")
    asked = [
        line["request_id"]
        for line in log_lines(platform.state.log("api"))
        if line.get("traceparent") == published()[0]["traceparent"]
    ]
    assert asked, "the trace goes on across the queue"
    done = mediaplatform("logs", "ingest", "-n", "50", "--state", platform.state.folder)
    assert '"event":"job"' in done.stdout.replace(" ", "")


def test_a_signed_put_takes_exactly_what_was_announced_and_once(platform: Up) -> None:
    with platform.client() as ada:
        ada.register("Ada")
        content = photo(shade=11)
        asked = ada.announce(content, "pinned.jpg")
        with pytest.raises(InvalidInput, match="S3 refused"):
            ada.put(asked["upload"], content[:-1] + b"x")
        wrong = {**asked["upload"], "headers": {**asked["upload"]["headers"]}}
        wrong["headers"]["content-type"] = "text/html"
        with pytest.raises(InvalidInput, match="S3 refused"):
            ada.put(wrong, content)
        ada.put(asked["upload"], content)
        before = ada.confirm(asked["media"]["id"])
        ada.put(asked["upload"], content)  # 412, which the client takes for done
        assert before["state"] in {"uploaded", "processing", "ready"}


def test_the_same_file_twice_is_one_item(platform: Up) -> None:
    with platform.client() as ada:
        ada.register("Ada")
        first = ada.upload_bytes(photo(shade=13), "one.jpg")
        again = ada.announce(photo(shade=13), "two.jpg")
        assert (again["media"]["id"], again["upload"]) == (first, None)


def test_an_upload_nobody_confirmed_is_found_by_its_event(platform: Up) -> None:
    with platform.client() as ada:
        ada.register("Ada")
        content = photo(shade=17)
        asked = ada.announce(content, "silent.jpg")
        ada.put(asked["upload"], content)
        assert ada.wait(asked["media"]["id"], seconds=30)["state"] == "ready"


def test_every_service_exports_metrics(platform: Up) -> None:
    names = {
        "api": "mediaplatform_http_requests_total",
        "ingest": "mediaplatform_worker_jobs_total",
        "sweep": "mediaplatform_sweep_done_total",
    }
    for service, metric in names.items():
        with Client(f"http://127.0.0.1:{platform.running.metrics[service]}") as metrics:
            assert metric in metrics._http.get("/metrics").text


def test_a_killed_service_comes_back(platform: Up) -> None:
    before = platform.pid("ingest")
    os.kill(before, signal.SIGKILL)
    until(
        lambda: platform.pid("ingest") != before and bool(alive([platform.pid("ingest")])),
        seconds=20,
        what="another ingest worker",
    )
    with platform.client() as ada:
        ada.register("Ada")
        media_id = ada.upload_bytes(photo(shade=19), "after.jpg")
        assert ada.wait(media_id, seconds=60)["state"] == "ready"


def test_a_service_that_keeps_dying_is_told_and_takes_nothing_along(platform: Up) -> None:
    for _ in range(4):
        pid = platform.pid("sweep")
        os.kill(pid, signal.SIGKILL)
        until(lambda pid=pid: platform.pid("sweep") != pid, seconds=20, what="another sweeper")  # type: ignore[misc]
    assert "sweep keeps dying (signal 9" in platform.said.read_text()
    assert str(platform.state.log("sweep")) in platform.said.read_text()
    assert mediaplatform("status", "--state", platform.state.folder).returncode == 0


def test_an_emulator_that_is_killed_is_wired_again(platform: Up) -> None:
    before = platform.running
    os.kill(before.processes["s3+sqs"], signal.SIGKILL)
    until(
        lambda: platform.running.metrics != before.metrics,
        seconds=40,
        what="services with new credentials",
    )
    with platform.client() as ada:
        until(lambda: can_register(ada), seconds=30, what="an API that answers")
        media_id = ada.upload_bytes(photo(shade=23), "again.jpg")
        assert ada.wait(media_id, seconds=60, tiers=2)["state"] == "ready"


def test_a_second_instance_on_the_same_folder_is_refused(platform: Up) -> None:
    done = mediaplatform("up", "--state", platform.state.folder, "--port", str(two_free_ports()))
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert f"in use by another mediaplatform at {platform.url}" in done.stderr
    assert mediaplatform("status", "--state", platform.state.folder).returncode == 0


def test_a_running_platform_cannot_be_reset(platform: Up) -> None:
    done = mediaplatform("reset", "--yes", "--state", platform.state.folder)
    assert done.returncode == 2
    assert "stop the platform first" in done.stderr


def test_a_busy_port_is_named(tmp_path: Path) -> None:
    port = two_free_ports()
    with socket.create_server(("127.0.0.1", port)):
        done = mediaplatform("up", "--state", tmp_path / "state", "--port", str(port))
    assert done.returncode == 2
    assert done.stderr.strip() == (
        f"mediaplatform: port {port}, for the page, is in use: choose another by --port"
    )


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    done = mediaplatform("up", "--state", tmp_path / "file/state")
    assert done.returncode == 2
    assert "cannot be written" in done.stderr
    assert "--state" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    for command in ("up", "reset"):
        done = mediaplatform(command, "--state", tmp_path, *(["--yes"] * (command == "reset")))
        assert done.returncode == 2
        assert len(done.stderr.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (RESOURCE.replace("host:", "hots:"), "did you mean host?"),
        (RESOURCE.replace("30", "7"), "spec.queues.visibilitySeconds: got 7, wants"),
    ],
)
def test_a_wrong_resource_is_told_before_anything_starts(
    tmp_path: Path, text: str, sentence: str
) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(text)
    done = mediaplatform("up", file, "--state", tmp_path / "state")
    assert done.returncode == 2
    assert sentence in done.stderr
    assert not (tmp_path / "state").exists()


def test_commands_that_need_a_running_platform_say_so(tmp_path: Path) -> None:
    for command in ("status", "demo"):
        done = mediaplatform(command, "--state", tmp_path)
        assert done.returncode == 2
        assert "start it with `mediaplatform up`" in done.stderr


def test_dead_letters_are_moved_back_and_worked_off(platform: Up) -> None:
    dead = Clients.create(
        "us-east-1",
        endpoint=platform.running.endpoint,
        access_key=ROOT_KEY,
        secret_key=platform.state.secrets()["emulator"],
    )
    key = f"incoming/{uuid4()}"
    record = {"eventVersion": "2.1", "eventName": "ObjectRemoved:Delete",
              "s3": {"object": {"key": key, "sequencer": "01"}}}  # fmt: skip
    url = platform.running.ingest_dead_url
    dead.sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"Records": [record]}))
    for words, said in ((["--dry-run"], "would move 1 messages"), ([], "moved 1 messages"),
                        ([], "moved 0 messages")):  # fmt: skip
        done = mediaplatform(
            "redrive", "--queue", "ingest", "--state", platform.state.folder, *words
        )
        assert done.returncode == 0, done.stderr
        assert said in done.stdout
        assert (f"object removed  {key}" in done.stdout) == ("1 messages" in said)


def test_policies_are_printed_for_each_component() -> None:
    done = mediaplatform("policies", Path(__file__).parents[2] / "examples/production.yaml")
    printed = json.loads(done.stdout)
    assert set(printed) == {"operator", "api", "ingest", "render", "sweep", "redrive"}
    assert "arn:aws:s3:::acme-photos-uploads/incoming/*" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_leaves_no_process_and_the_next_start_finds_all(
    tmp_path: Path, number: signal.Signals
) -> None:
    with up(tmp_path / "state") as first:
        with first.client() as ada:
            ada.register("Ada")
            media_id = ada.upload_bytes(photo(), "kept.jpg")
            ada.wait(media_id, seconds=30, tiers=2)
        pids = [process.pid for process in first.family()]
        assert len(pids) >= 6
        assert first.stop(number) < 10
        assert first.process.returncode == 0
        until(lambda: alive(pids) == [], seconds=2, what="no process left")
    with up(tmp_path / "state") as second, second.client() as anybody:
        assert [item["id"] for item in anybody.feed()["items"]] == [media_id]
        jpeg = anybody.media(media_id)["renditions"][0]
        assert len(anybody.fetch(jpeg["url"])) == jpeg["size"]
    done = mediaplatform("reset", "--state", tmp_path / "state", input="n\n")
    assert (done.returncode, (tmp_path / "state").exists()) == (1, True)
    assert mediaplatform("reset", "--yes", "--state", tmp_path / "state").returncode == 0
    assert not (tmp_path / "state").exists()


def test_killed_in_the_middle_it_finishes_everything_after_the_next_start(tmp_path: Path) -> None:
    with up(tmp_path / "state") as first, first.client() as ada:
        ada.register("Ada")
        os.kill(first.pid("ingest"), signal.SIGSTOP)  # so that nothing is done yet
        ids = [ada.upload_bytes(photo(shade=n), f"{n}.jpg") for n in range(6)]
        pids = [process.pid for process in first.family()]
        first.kill()
    with up(tmp_path / "state") as second:
        assert not set(alive(pids)) & {process.pid for process in second.family()}
        until(
            lambda: second.rows("SELECT count(*) FROM media WHERE tiers = 2") == [(len(ids),)],
            seconds=110,
            what="all items ready",
        )
        ready = "SELECT count(*) FROM media_moves WHERE to_state = 'ready'"
        assert second.rows(ready) == [(len(ids),)], "none twice"
        until(lambda: alive(pids) == [], seconds=5, what="no process of the first left")


def test_without_a_terminal_the_help_names_every_command() -> None:
    words = subprocess.run(
        [*COMMAND, "--help"], capture_output=True, text=True, check=True, timeout=30
    ).stdout
    for command in ("up", "status", "logs", "demo", "reset", "policies", "redrive"):
        assert command in words
