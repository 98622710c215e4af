"""A wrong setting stops the start with a line that names it."""

from __future__ import annotations

import pytest

from rapport.ops.errors import ConfigurationError
from rapport.ops.settings import Settings
from services.gateway.settings import GatewaySettings
from services.recommender.settings import RecommenderSettings


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORT_KAFKA__BOOTSTRAP_SERVERS", "broker:9093")
    monkeypatch.setenv("RAPPORT_RECOMMENDER__LIMIT", "7")  # another service's section
    settings = Settings.load()
    assert settings.kafka.bootstrap_servers == "broker:9093"
    assert settings.kafka.partitions == 2


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("RAPPORT_KAFKA__PARTITION", "3", "did you mean RAPPORT_KAFKA__PARTITIONS"),
        ("RAPPORT_KAFKA__PARTITIONS", "many", "RAPPORT_KAFKA__PARTITIONS: .*'many'"),
        ("RAPPORT_KAFKA__PARTITIONS", "0", "RAPPORT_KAFKA__PARTITIONS: .*greater than or equal to 1"),
        ("RAPPORT_NO_SUCH", "1", "RAPPORT_NO_SUCH: no such setting"),
        ("RAPPORT_MODELS__ADAPTERS", "{", "RAPPORT_MODELS__ADAPTERS: is not JSON"),
    ],
)
def test_a_wrong_setting_is_named_with_its_fix(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=said):
        Settings.load()


def test_a_wrong_part_of_a_value_is_told_beside_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORT_RECOMMENDER__SOURCES", "need,grph")
    with pytest.raises(ConfigurationError, match=r"RAPPORT_RECOMMENDER__SOURCES: 1: .*'graph'.*got 'grph'"):
        RecommenderSettings.load()


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORT_REDIS__URL", "redis://:hunter2@127.0.0.1/0")
    assert "hunter2" not in repr(Settings.load())


def test_a_wrong_secret_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORT_GATEWAY__PRIVATE_KEYS", "hunter2")
    with pytest.raises(ConfigurationError, match="RAPPORT_GATEWAY__PRIVATE_KEYS: a key has at least") as refused:
        GatewaySettings.load()
    assert "hunter2" not in str(refused.value)


def test_lists_of_words_are_comma_separated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORT_GATEWAY__CORS_ORIGINS", "https://a.example, https://b.example,")
    monkeypatch.setenv("RAPPORT_GATEWAY__TRUSTED_PROXIES", "")
    settings = GatewaySettings.load().gateway
    assert settings.cors_origins == ("https://a.example", "https://b.example")
    assert settings.trusted_proxies == ()
