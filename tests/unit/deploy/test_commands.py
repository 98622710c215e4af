"""The command line: quick help for all commands, one line for what fails."""

from __future__ import annotations

import subprocess
import sys

import pytest

from deploy.cli.root import COMMANDS, build, main
from deploy.cli.up import _with_ports
from deploy.local.settings import LocalSettings
from rapport.ops.errors import ConfigurationError


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
