"""Where the servers come from, and what Docker is asked for.

No engine runs on every machine that runs the tests, so a stand-in `docker` on the PATH answers and keeps the commands.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.local import docker
from deploy.local.provider import Given, choose, given_addresses
from deploy.local.settings import LocalSettings
from rapport.ops.errors import UnavailableError

ALL_ELSEWHERE, NONE_ELSEWHERE = Given("a:1", "redis://b"), Given(None, None)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file with the commands that docker was given."""
    said, script = tmp_path / "said", tmp_path / "docker"
    script.write_text(
        "#!/bin/sh\n"
        f'echo "$RAPPORT_COMPOSE_KAFKA_PORT $*" >> {said}\n'
        f"[ ! -e {tmp_path}/broken ] || {{ echo gone >&2; exit 1; }}\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return said


def test_an_engine_that_answers_is_chosen(engine: Path) -> None:
    assert choose(LocalSettings(), NONE_ELSEWHERE) == "docker"


def test_without_an_answering_engine_maven_is_chosen(engine: Path) -> None:
    (engine.parent / "broken").touch()
    assert choose(LocalSettings(), NONE_ELSEWHERE) == "maven"


def test_given_addresses_need_no_provider(engine: Path) -> None:
    assert choose(LocalSettings(), ALL_ELSEWHERE) == "external"
    assert not engine.exists()


def test_an_address_in_the_settings_counts_as_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORT_KAFKA__BOOTSTRAP_SERVERS", "kafka.example:9092")
    settings = LocalSettings.load()
    assert given_addresses(settings, None, None) == Given("kafka.example:9092", None)
    assert given_addresses(settings, "other:1", "redis://r") == Given("other:1", "redis://r")


def test_docker_starts_only_what_is_wanted_and_waits_for_its_health(engine: Path) -> None:
    docker.start_servers(["kafka"], {"kafka": 19092, "redis": 16379})
    said = engine.read_text().strip()
    assert said.startswith("19092 compose ")
    assert said.endswith(" up --detach --wait kafka")


def test_a_failing_docker_is_told_in_its_own_words(engine: Path) -> None:
    (engine.parent / "broken").touch()
    with pytest.raises(UnavailableError, match="docker compose stop: gone"):
        docker.stop_servers()
