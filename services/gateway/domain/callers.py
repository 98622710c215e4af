"""Who calls too often: each key has its rate, and each address that shows no private key."""

from __future__ import annotations

import ipaddress
import math

from rapport.ops.errors import RateLimited
from services.gateway.domain.keys import Keys, Scope, key_of
from services.gateway.domain.rate import Rate

# One customer of a provider has a whole network of this many bits.
_IPV6_NETWORK = 64


class Callers:
    """A private key is on few servers and counts alone; a public key is in every browser, so there the address counts,
    too, as it does for who has no key."""

    def __init__(self, keys: Keys, per_key: Rate, per_address: Rate) -> None:
        self._keys, self._per_key, self._per_address = keys, per_key, per_address

    def count(self, authorization: str | None, address: str) -> None:
        """Raises `RateLimited`, whose field is the limit, when this call is one too many; it is counted otherwise."""
        if not self._keys.allows(authorization, Scope.PRIVATE):
            _take("address", self._per_address, _network(address))
        if self._keys.allows(authorization, Scope.WRITE):
            _take("key", self._per_key, key_of(authorization))


def _take(limit: str, rate: Rate, caller: str) -> None:
    wait = rate.wait(caller)
    if wait:
        raise RateLimited(f"too many requests of this {limit}", field=limit, retry_after_s=max(1, math.ceil(wait)))


def _network(address: str) -> str:
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if known.version == 4 or known.ipv4_mapped:
        return address
    return str(ipaddress.ip_network((known.packed, _IPV6_NETWORK), strict=False))
