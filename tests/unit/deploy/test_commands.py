"""The command line: quick help for all commands, one line for what fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr
from rich.console import Console

from deploy.cli.progress import Shown
from deploy.cli.root import COMMANDS, build, main
from deploy.cli.up import _with_ports
from deploy.cli.welcome import what_to_try
from deploy.local.home import Home
from deploy.local.record import Entry, Record
from deploy.local.settings import LocalSettings
from deploy.local.stack import Options, bring_up
from rapport.ops.errors import ConfigurationError
from services.gateway.settings import GatewaySection


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: str(command.name))
def test_every_command_of_the_table_loads_and_has_help(command: object, capsys: pytest.CaptureFixture[str]) -> None:
    name = str(getattr(command, "name", ""))
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert f"rapport {name}" in capsys.readouterr().out


def test_help_imports_nothing_slow() -> None:
    code = "import sys; from deploy.cli.root import build; build(None); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "transformers", "aiokafka", "pyarrow", "numpy", "redis"} & set(loaded)


def test_a_failure_is_one_line_with_its_fix(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPPORT_LOCAL__PORT_OFSET", "1")
    with pytest.raises(SystemExit) as ended:
        main(["status"])
    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert said.count("\n") == 1
    assert "RAPPORT_LOCAL__PORT_OFSET" in said
    assert "Fix: did you mean RAPPORT_LOCAL__PORT_OFFSET?" in said


@pytest.mark.parametrize(
    ("only", "variable", "said"),
    [
        (frozenset({"redis", "kafak"}), "RAPPORT_OPS__PORT", "--only: no process is named 'kafak'"),
        (None, "RAPPORT_RECOMMENDER__LIMITS", "did you mean RAPPORT_RECOMMENDER__LIMIT?"),
    ],
)
def test_what_a_process_would_refuse_is_refused_before_anything_starts(
    only: frozenset[str] | None, variable: str, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(variable, "3")
    with pytest.raises(ConfigurationError) as refused:
        bring_up(LocalSettings.load(), Home(tmp_path), Options(only=only), Shown(Console()))
    assert said in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_keys_of_one_s_own_are_not_printed() -> None:
    record = Record("external", "", (Entry("gateway", 3, "http://127.0.0.1:8080", ""),))
    assert any("#key=local-private-key" in line for line in what_to_try(record, GatewaySection()))
    own = GatewaySection(private_keys=SecretStr("my-own-secret"))
    assert not any("secret" in line or "local-private-key" in line for line in what_to_try(record, own))


def test_an_unknown_command_is_refused() -> None:
    with pytest.raises(SystemExit) as ended:
        build("upp")(["upp"], prog_name="rapport")
    assert ended.value.code == 2


@pytest.mark.parametrize(("choice", "offset", "free"), [("default", 0, False), ("random", 0, True), ("+70", 70, False)])
def test_ports_are_default_random_or_moved(choice: str, offset: int, free: bool) -> None:
    settings, wants_free = _with_ports(LocalSettings(), choice)
    assert (settings.local.port_offset, wants_free) == (offset, free)


def test_another_choice_of_ports_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="--ports"):
        _with_ports(LocalSettings(), "8080")
