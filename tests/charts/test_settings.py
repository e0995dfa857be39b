"""What the services read from their environment is what the chart puts there."""

from __future__ import annotations

from dataclasses import fields

import pytest

from mediaplatform.platform.settings import PREFIX, Settings
from mediaplatform_api.__main__ import GRACE_SECONDS
from mediaplatform_worker.sandbox.client import KILL_SECONDS
from mediaplatform_worker.sweep import STEP_S
from tests.support.helm import SERVICES, Object, of_kind, pods, render, rendered, variants

VARIABLES = {PREFIX + field.name.upper() for field in fields(Settings)}
SECRET = {f"{PREFIX}{name}" for name in ("DATABASE_URL", "REDIS_URL", "TOKEN_SECRET")}
OPTIONAL = {f"{PREFIX}AWS_ENDPOINT", f"{PREFIX}AWS_PUBLIC_ENDPOINT"}  # unset on AWS itself


@pytest.fixture(params=variants(SERVICES))
def objects(request: pytest.FixtureRequest) -> tuple[Object, ...]:
    return rendered(SERVICES, request.param)


def environment(objects: tuple[Object, ...], component: str) -> dict[str, str]:
    """Of a component's container; what comes from a Secret as `secret:name/key`."""
    found = dict(of_kind(objects, "ConfigMap")["photos-settings"]["data"])
    spec = of_kind(objects, "Deployment")[f"photos-{component}"]["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert container["envFrom"] == [{"configMapRef": {"name": "photos-settings"}}]
    for variable in container["env"]:
        secret = variable["valueFrom"]["secretKeyRef"]
        found[variable["name"]] = f"secret:{secret['name']}/{secret['key']}"
    return found


def components(objects: tuple[Object, ...]) -> list[str]:
    return [name.removeprefix("photos-") for name in of_kind(objects, "Deployment")]


def test_every_setting_is_set_and_no_other(objects: tuple[Object, ...]) -> None:
    for component in components(objects):
        ours = {name for name in environment(objects, component) if name.startswith(PREFIX)}
        assert ours <= VARIABLES
        missing = VARIABLES - ours - OPTIONAL
        assert missing == (set() if component == "api" else {f"{PREFIX}TOKEN_SECRET"})


def test_the_services_start_with_their_environment(objects: tuple[Object, ...]) -> None:
    for component in components(objects):
        settings = Settings.from_environment(environment(objects, component))
        assert settings.database_url == "secret:photos-db/url"
        assert settings.redis_url == "secret:photos-redis/url"
        assert settings.token_secret == ("secret:photos-tokens/secret" * (component == "api"))
        assert (settings.port, settings.metrics_port) == (8080, 9090)


def test_the_chart_has_the_same_defaults_as_the_services() -> None:
    found = Settings.from_environment(environment(rendered(SERVICES, "default"), "ingest"))
    plain = Settings("", "", "", "", "", "", "", "")
    ours = {"bind_host", "scratch_folder"}  # a container's own
    for field in fields(Settings)[9:]:
        if field.name not in ours:
            assert getattr(found, field.name) == getattr(plain, field.name), field.name


def test_no_secret_is_in_a_config_map(objects: tuple[Object, ...]) -> None:
    for found in of_kind(objects, "ConfigMap").values():
        assert not SECRET & found["data"].keys()


def test_keys_of_emulators_come_from_a_secret_for_each_component() -> None:
    objects = rendered(SERVICES, "external")
    for component in components(objects):
        found = environment(objects, component)
        assert found["AWS_ACCESS_KEY_ID"] == f"secret:photos-aws-{component}/accessKeyId"
        assert found["AWS_SECRET_ACCESS_KEY"] == f"secret:photos-aws-{component}/secretAccessKey"
    assert "AWS_ACCESS_KEY_ID" not in environment(rendered(SERVICES, "default"), "api")


def test_a_changed_setting_or_credential_rolls_the_pods_that_have_it() -> None:
    before = _annotations({})
    level = _annotations({"settings": {"logLevel": "debug"}})
    rotated = _annotations({"secrets": {"checksum": {"ingest": "another"}}})
    assert all(before[name] != level[name] for name in before)
    assert {name for name in before if before[name] != rotated[name]} == {"photos-ingest"}


def _annotations(values: Object) -> dict[str, Object]:
    deployments = of_kind(render(SERVICES, "default", values), "Deployment")
    return {
        name: item["spec"]["template"]["metadata"]["annotations"]
        for name, item in deployments.items()
    }


def test_pods_are_given_the_time_that_they_need_to_stop(objects: tuple[Object, ...]) -> None:
    grace = {
        meta["labels"]["app.kubernetes.io/component"]: spec for meta, spec in pods(objects)
    }  # fmt: skip
    api = grace["api"]
    waits = api["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert api["terminationGracePeriodSeconds"] > waits + GRACE_SECONDS
    drain = Settings.from_environment(environment(objects, "ingest")).drain_seconds
    assert grace["ingest"]["terminationGracePeriodSeconds"] > drain + KILL_SECONDS
    assert grace["sweep"]["terminationGracePeriodSeconds"] > STEP_S
