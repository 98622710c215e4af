"""Ports: one for each process, moved or freed together, and a clear refusal when one is taken."""

from __future__ import annotations

import socket

import pytest

from deploy.local.ports import assign_ports, default_ports, free_ports, taken
from rapport.ops.errors import ConfigurationError


def test_no_two_processes_share_a_default_port() -> None:
    ports = default_ports()
    assert len(set(ports.values())) == len(ports)


def test_an_offset_moves_every_port_and_an_override_wins() -> None:
    ports = assign_ports(offset=1000, overrides={"gateway": 8088})
    assert ports["kafka"] == 10092
    assert ports["profiler-worker.ops"] == 10111
    assert ports["gateway"] == 8088


def test_an_override_of_an_unknown_process_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match="gatewy"):
        assign_ports(overrides={"gatewy": 1})


def test_ports_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="no port is 7"):
        assign_ports(offset=20_000)


def test_free_ports_are_different_and_can_be_bound() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert taken(ports) == []


def test_a_port_that_something_listens_on_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert taken([port]) == [port]
    assert taken([port]) == []
