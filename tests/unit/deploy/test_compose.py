"""docker-compose.yml runs the same processes as `./rapport up`, and says so in words that the settings know."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from deploy.local.jars import POM
from deploy.local.kafka_server import CLUSTER_ID
from deploy.local.ports import default_ports
from deploy.local.processes import Wiring, application
from deploy.local.settings import REPOSITORY
from rapport.ops.settings import PREFIX, Settings, known_names
from tests.unit.deploy.own_settings import OWN_SETTINGS

JOBS = {"models"}
PROCESSES = {process.name for process in application(Wiring("", "", default_ports()))}


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
    dockerfile = (REPOSITORY / "deploy" / "docker" / "Dockerfile").read_text()
    started = dict(re.findall(r"^FROM \w+ AS ([\w-]+)\n(?:\w.*\n)*?CMD (.*)$", dockerfile, re.MULTILINE))
    for name in PROCESSES:
        module = "services." + name.replace("-worker", ".worker")
        assert f'"{module}"' in started[name]
        assert services[name]["build"]["target"] == name


def test_every_variable_is_a_setting(services: dict[str, Any]) -> None:
    for name in PROCESSES:
        known = known_names(OWN_SETTINGS.get(name, Settings))
        assert {each for each in services[name]["environment"] if each.startswith(PREFIX)} <= known


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
