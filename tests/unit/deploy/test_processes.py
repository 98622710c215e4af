"""What each process is told: the settings of its own module accept it, and addresses meet."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from deploy.local.own_settings import OWN_SETTINGS
from deploy.local.ports import MODEL_SERVICES, default_ports
from deploy.local.processes import Process, Stage, Wiring, application
from rapport.ops.environment import PREFIX, known_names
from rapport.ops.settings import Settings


@pytest.fixture
def processes() -> Mapping[str, Process]:
    wiring = Wiring("127.0.0.1:9092", "redis://127.0.0.1:6379/0", default_ports(), demo_rate=5.0, demo_seed=7)
    return {process.name: process for process in application(wiring)}


def test_a_service_dials_the_address_that_its_worker_listens_on(processes: Mapping[str, Process]) -> None:
    for name in MODEL_SERVICES:
        worker = processes[f"{name}-worker"].environment
        listens = f"{worker['RAPPORT_WORKER__HOST']}:{worker['RAPPORT_WORKER__PORT']}"
        assert processes[name].environment["RAPPORT_WORKER__ADDRESS"] == listens


def test_the_gateway_dials_the_addresses_that_the_services_listen_on(processes: Mapping[str, Process]) -> None:
    gateway = processes["gateway"].environment
    for name in MODEL_SERVICES:
        service = processes[name].environment
        listens = f"{service['RAPPORT_GRPC__HOST']}:{service['RAPPORT_GRPC__PORT']}"
        assert gateway[f"RAPPORT_SERVICES__{name.upper()}"] == listens


def test_every_variable_is_a_setting(processes: Mapping[str, Process]) -> None:
    for process in processes.values():
        known = known_names(OWN_SETTINGS.get(process.name, Settings))
        assert {name for name in process.environment if name.startswith(PREFIX)} <= known


def test_health_is_asked_where_the_process_was_told_to_answer(processes: Mapping[str, Process]) -> None:
    for process in processes.values():
        port = process.environment["RAPPORT_OPS__PORT"]
        assert process.health == f"http://127.0.0.1:{port}/health/ready"


def test_workers_start_before_services_and_the_demo_comes_last(processes: Mapping[str, Process]) -> None:
    stages = [process.stage for process in processes.values()]
    assert stages == sorted(stages)
    assert processes["demo"].stage is Stage.DEMO
    assert processes["demo"].environment["RAPPORT_DEMO__SEED"] == "7"


@pytest.mark.parametrize("name", ["recommender", "chatbot", "content", "gateway", "demo"])
def test_alone_a_process_listens_where_its_peers_look_for_it(name: str) -> None:
    settings, ports = OWN_SETTINGS[name](), default_ports()
    assert settings.ops.port == ports[f"{name}.ops"]
    if name in MODEL_SERVICES:
        assert settings.grpc.port == ports[name]
        assert getattr(settings.services, name).endswith(f":{ports[name]}")
        assert settings.worker.address.endswith(f":{ports[f'{name}-worker']}")
