"""What the gateway can be told, besides what every process can."""

from __future__ import annotations

from pydantic import Field, SecretStr, field_validator

from rapport.ops.settings import OpsSettings, Section, Settings, Words, words


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
    cors_origins: Words = ("*",)
    """Origins whose pages may call from a browser, comma-separated; the keys decide what they may do."""
    key_requests_per_s: float = Field(default=2000.0, ge=0)
    """Requests a second with one key, in the long run; five seconds' worth may come at once. More are refused with
    429. 0: no limit. Each gateway process counts for itself."""
    address_requests_per_s: float = Field(default=200.0, ge=0)
    """As above, from one client address that shows no private key (of IPv6: from one /64). Many customers of
    a provider may share one."""
    trusted_proxies: Words = ("127.0.0.1", "::1")
    """Proxies in front, comma-separated addresses or networks: their X-Forwarded-For says whose the request is. Without
    it all clients behind a proxy are one."""
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
    return frozenset(words(keys.get_secret_value()))
