"""Promotions on a real broker: written by the command line, followed by a part."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from deploy.cli.root import main
from deploy.local.servers import EmbeddedServers
from rapport.models.promoted import PromotedModels
from rapport.models.promotions import follow_up, promotions, roll_back
from rapport.models.registry import Registry
from rapport.models.versions import Version
from rapport.ops.errors import ModelError, UnavailableError
from rapport.ops.settings import ModelSettings, Settings
from tests.integration.bus.support import living, settings_on
from tests.unit.serving.waiting import until


class Ranker:
    """What a service would reload."""

    def __init__(self) -> None:
        self.used: list[str | None] = []
        self.failures: list[Exception] = []

    async def use(self, version: Version | None) -> None:
        if self.failures:
            raise self.failures.pop()
        self.used.append(version.version if version else None)


@pytest.fixture
def settings(servers: EmbeddedServers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Topics of its own and three versions of a ranker; the command line is given the same."""
    settings = settings_on(servers.bootstrap_servers).model_copy(update={"models": ModelSettings(cache=tmp_path)})
    for name in ("topic_prefix", "bootstrap_servers", "partitions"):
        monkeypatch.setenv(f"RAPPORT_KAFKA__{name}".upper(), str(getattr(settings.kafka, name)))
    monkeypatch.setenv("RAPPORT_MODELS__CACHE", str(tmp_path))
    monkeypatch.setenv("RAPPORT_HOME", str(tmp_path / "home"))
    (tmp_path / "trained").mkdir()
    (tmp_path / "trained" / "model.json").write_text("{}")
    for version in ("v1", "v2", "v3"):
        Registry(tmp_path).register(tmp_path / "trained", name="ranker", kind="test", version=version)
    return settings


def _models(*arguments: str) -> None:
    """`./rapport models …`, in this process; a thread, as it runs a loop of its own."""
    with pytest.raises(SystemExit) as ended:
        main(["models", *arguments])
    assert ended.value.code == 0


async def _command(*arguments: str) -> None:
    await asyncio.to_thread(_models, *arguments)


async def test_a_follower_gets_the_promotion_that_is_there_then_those_that_come(settings: Settings) -> None:
    await _command("promote", "ranker", "v1")
    await _command("promote", "ranker", "v2")
    ranker = Ranker()
    followed = PromotedModels("test", settings, required=True)
    followed.follow("ranker", ranker.use)
    async with living(followed):
        await until(lambda: ranker.used == ["v2"])
        assert followed.health().ready
        await _command("promote", "ranker", "v3")
        await until(lambda: ranker.used == ["v2", "v3"])
        await _command("rollback", "ranker")
        await _command("rollback", "ranker")
        await until(lambda: ranker.used[-1] == "v1")
        await _command("rollback", "ranker")
        await until(lambda: ranker.used[-1] is None)
        assert followed.promoted("ranker") is None


async def test_each_of_a_family_has_promotions_of_its_own(settings: Settings) -> None:
    cache = settings.models.cache
    Registry(cache).register(cache / "trained", name="ranker.acme", kind="test", version="a1")
    rankers: dict[str, Ranker] = {}
    followed = PromotedModels("test", settings)
    followed.follow_all("ranker", lambda suffix: rankers.setdefault(suffix, Ranker()).use)
    async with living(followed):
        await _command("promote", "ranker.acme", "a1")
        await until(lambda: "acme" in rankers and rankers["acme"].used == ["a1"])
        await _command("promote", "ranker", "v1")
        await until(lambda: rankers[""].used == ["v1"])
        await _command("rollback", "ranker.acme")
        await until(lambda: rankers["acme"].used == ["a1", None])
    assert rankers[""].used == ["v1"]


async def test_what_cannot_be_taken_over_is_said_and_the_next_one_is_tried(settings: Settings) -> None:
    ranker = Ranker()
    ranker.failures = [ModelError("no such layer"), UnavailableError("later")]  # from the last
    followed = PromotedModels("test", settings)
    followed.follow("ranker", ranker.use)
    async with living(followed):
        await _command("promote", "ranker", "v1")
        await until(lambda: "no such layer" in followed.health().detail)
        assert followed.health().ready
        assert ranker.used == []
        await _command("promote", "ranker", "v2")
        await until(lambda: ranker.used == ["v2"])
        assert "not taken over" not in followed.health().detail


async def test_a_version_whose_files_changed_is_not_taken_over(settings: Settings) -> None:
    ranker = Ranker()
    followed = PromotedModels("test", settings)
    followed.follow("ranker", ranker.use)
    async with living(followed):
        await _command("promote", "ranker", "v1")
        await until(lambda: ranker.used == ["v1"])
        await _command("promote", "ranker", "v2")
        await until(lambda: ranker.used == ["v1", "v2"])
        (Registry(settings.models.cache).folder / "ranker" / "v1" / "model.json").write_text("[]")
        # The command line would refuse it; another machine's copy may be the damaged one.
        damaged = Version.read(Registry(settings.models.cache).folder / "ranker" / "v1")
        await roll_back(damaged, (await promotions(settings))["ranker"], settings)
        await until(lambda: "has changed" in followed.health().detail)
        assert ranker.used == ["v1", "v2"]


async def test_the_list_marks_what_is_promoted(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert settings.kafka.topic_prefix
    await _command("promote", "ranker", "v2")
    capsys.readouterr()
    await _command("list")
    said = capsys.readouterr().out
    assert re.search(r"v2\b.*promoted", said)
    assert not re.search(r"v[13]\b.*promoted", said)


async def test_without_kafka_a_follower_that_needs_none_is_ready(tmp_path: Path) -> None:
    settings = settings_on("127.0.0.1:1").model_copy(update={"models": ModelSettings(cache=tmp_path)})
    followed = PromotedModels("test", settings)
    async with living(followed):
        assert followed.health().ready


async def test_a_training_command_promotes_its_version_or_says_how_to(settings: Settings) -> None:
    version = Registry(settings.models.cache).load("ranker", "v2")
    assert await follow_up(version, settings, promoted=False) == "ranker v2: ./rapport models promote ranker v2"
    assert not await promotions(settings)
    assert await follow_up(version, settings, promoted=True) == "ranker v2: promoted"
    assert (await promotions(settings))["ranker"].version == "v2"
