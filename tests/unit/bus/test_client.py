"""Settings become client arguments."""

from __future__ import annotations

from pydantic import SecretStr

from rapport.bus.client import connection, group_id, registered_name, topic_name
from rapport.ops.settings import KafkaSettings


def test_plaintext_is_addresses_alone() -> None:
    assert connection(KafkaSettings(bootstrap_servers="a:1,b:2")) == {
        "bootstrap_servers": ["a:1", "b:2"],
        "security_protocol": "PLAINTEXT",
    }


def test_sasl_over_tls_has_credentials_and_a_context() -> None:
    settings = KafkaSettings(
        security_protocol="SASL_SSL",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_username="shop",
        sasl_password=SecretStr("secret"),
    )
    arguments = connection(settings)
    assert arguments["sasl_plain_password"] == "secret"
    assert arguments["sasl_mechanism"] == "SCRAM-SHA-512"
    assert arguments["ssl_context"] is not None


def test_names_have_their_prefixes() -> None:
    settings = KafkaSettings(topic_prefix="shop.", group_prefix="shop-")
    assert topic_name(settings, "catalog.v1") == "shop.catalog.v1"
    assert registered_name(settings, "shop.catalog.v1") == "catalog.v1"
    assert group_id(settings, "profiler") == "shop-profiler"
