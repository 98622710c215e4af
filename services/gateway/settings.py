"""What the gateway can be told, besides what every process can."""

from __future__ import annotations

from pydantic import Field, SecretStr, field_validator

from rapport.ops.settings import OpsSettings, Section, Settings


class HttpSettings(Section):
    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = Field(default=8080, ge=0, le=65535)
    """Its port; 0 takes a free one."""


class GatewaySection(Section):
    write_keys: SecretStr = SecretStr("")
    """Public keys, comma-separated: may send behaviour events only. Segment's libraries call it write key."""
    private_keys: SecretStr = SecretStr("")
    """Secret keys, comma-separated: may do everything. Keep them on servers."""
    customer_token_secret: SecretStr = SecretStr("")
    """Signs the tokens (JWT, HS256, with sub and exp) by which a browser with a public key says who its customer is.
    Left out: with a public key nobody is signed in."""
    max_body_bytes: int = Field(default=500_000, ge=1024)
    """A larger request body is refused with 413. Segment's own limit for a batch is 500 kB."""
    cors_origins: str = "*"
    """Origins whose pages may call from a browser, comma-separated; the keys decide what they may do."""
    chat_timeout_s: float = Field(default=60.0, gt=0)
    """Longest a streamed chat answer may take."""
    timeout_s: float = Field(default=5.0, gt=0)
    """Longest a service may take to answer."""

    @field_validator("write_keys", "private_keys")
    @classmethod
    def _long_enough(cls, keys: SecretStr) -> SecretStr:
        if any(len(key) < 8 for key in split(keys)):
            raise ValueError("a key has at least 8 characters")
        return keys


class GatewaySettings(Settings):
    http: HttpSettings = HttpSettings()
    gateway: GatewaySection = GatewaySection()
    ops: OpsSettings = OpsSettings(port=9105)


def split(keys: SecretStr) -> frozenset[str]:
    """The keys of a comma-separated list."""
    return frozenset(key.strip() for key in keys.get_secret_value().split(",") if key.strip())
