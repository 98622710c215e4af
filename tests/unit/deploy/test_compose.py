"""docker-compose.yml runs the same processes as `./rapport up`, and says so in words that the settings know."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from deploy.local.jars import POM
from deploy.local.kafka_server import CLUSTER_ID
from deploy.local.own_settings import OWN_SETTINGS
from deploy.local.ports import MODEL_SERVICES, default_ports
from deploy.local.processes import Wiring, application
from deploy.local.settings import REPOSITORY
from rapport.ops.environment import PREFIX, known_names
from rapport.ops.settings import Settings

JOBS = {"models"}
WIRING = Wiring("", "", default_ports())
PROCESSES = {process.name for process in application(WIRING)}
DOCKERFILE = (REPOSITORY / "deploy" / "docker" / "Dockerfile").read_text()


def image_environment(target: str) -> dict[str, str]:
    """The settings that a target of the Dockerfile and those that it builds on set."""
    found: dict[str, str] = {}
    stages = {
        each[2]: (each[1], each[3])
        for each in re.finditer(r"^FROM (\S+) AS (\S+)\n((?:(?!FROM).*\n)*)", DOCKERFILE, re.MULTILINE)
    }
    while target in stages:
        target, text = stages[target]
        found = dict(re.findall(r"\b(RAPPORT_\w+)=(\S+)", text)) | found
    return found


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())["services"]
    return found


def test_the_same_processes_as_the_embedded_stack(services: dict[str, Any]) -> None:
    assert set(services) == PROCESSES | {"kafka", "redis"} | JOBS


def test_every_container_has_a_memory_limit_and_a_health_check(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert "mem_limit" in service, name
        assert service["healthcheck"].get("test") or name in JOBS, name


def test_every_process_has_its_own_target_in_the_dockerfile(services: dict[str, Any]) -> None:
    started = dict(re.findall(r"^FROM \w+ AS ([\w-]+)\n(?:\w.*\n)*?CMD (.*)$", DOCKERFILE, re.MULTILINE))
    for name in PROCESSES:
        module = "services." + name.replace("-worker", ".worker")
        assert f'"{module}"' in started[name]
        assert services[name]["build"]["target"] == name


def test_each_process_is_told_as_much_as_in_the_embedded_stack(services: dict[str, Any]) -> None:
    for process in application(WIRING):
        told = image_environment(process.name) | services[process.name]["environment"]
        known = known_names(OWN_SETTINGS.get(process.name, Settings))
        assert {each for each in told if each.startswith(PREFIX)} <= known, process.name
        assert {each for each in process.environment if each.startswith(PREFIX)} <= set(told), process.name


def test_what_it_is_told_makes_settings(services: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROCESSES:
        with monkeypatch.context() as patched:
            for variable, value in (image_environment(name) | services[name]["environment"]).items():
                patched.setenv(variable, re.sub(r"\$\{\w+:-(.*?)\}", r"\1", str(value)))
            settings = OWN_SETTINGS.get(name, Settings).load()
        assert (settings.ops.host, settings.ops.port) == ("0.0.0.0", 9100)
        assert settings.kafka.bootstrap_servers == "kafka:19092"


def test_every_address_is_one_that_a_container_listens_on(services: dict[str, Any]) -> None:
    for name in PROCESSES:
        for variable, value in services[name]["environment"].items():
            address = re.fullmatch(r"([\w-]+):(500[56]1)", value)
            if address is not None:
                listens = image_environment(address[1])
                port = listens.get("RAPPORT_GRPC__PORT", listens.get("RAPPORT_WORKER__PORT"))
                assert port == address[2], (name, variable)


def test_who_uses_models_has_their_volume(services: dict[str, Any]) -> None:
    for name in [*MODEL_SERVICES, *(f"{each}-worker" for each in MODEL_SERVICES), *JOBS]:
        cache = image_environment(name)["RAPPORT_MODELS__CACHE"]
        assert services[name]["volumes"] == [f"models:{cache}"], name


def test_the_gpu_is_given_to_the_workers() -> None:
    gpu = yaml.safe_load((REPOSITORY / "deploy" / "docker" / "gpu.yml").read_text())["services"]
    assert set(gpu) == {f"{each}-worker" for each in MODEL_SERVICES}
    assert all(set(worker["environment"]) <= known_names(Settings) for worker in gpu.values())


def test_what_waits_for_health_waits_for_something_that_has_it(services: dict[str, Any]) -> None:
    for service in services.values():
        for name, awaited in service.get("depends_on", {}).items():
            ends = awaited["condition"] == "service_completed_successfully"
            assert ends == (name in JOBS)


def test_the_servers_are_those_of_the_embedded_stack(services: dict[str, Any]) -> None:
    kafka = re.search(r"kafka_2\.13</artifactId>\s*<version>([\d.]+)<", POM.read_text())
    assert kafka is not None
    assert services["kafka"]["image"] == f"apache/kafka:{kafka.group(1)}"
    assert services["kafka"]["environment"]["CLUSTER_ID"] == CLUSTER_ID
    assert services["redis"]["image"].startswith("redis:8.")


def test_nothing_is_published_beyond_this_machine(services: dict[str, Any]) -> None:
    for service in services.values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
