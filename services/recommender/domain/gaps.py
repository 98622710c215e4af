"""Why a strategy has nothing to go by: said in the answer, so that an empty picture can be told from a broken one."""

from __future__ import annotations

from collections.abc import Mapping

from rapport.events.profiles import ProfileUpdated
from rapport.events.recommendations import Strategy
from services.recommender.domain.situation import Boards

_FORGOTTEN = "Redis does not answer"
FORGOTTEN: Mapping[Strategy, str] = {
    "personalised": _FORGOTTEN,
    "co_visited": _FORGOTTEN,
    "graph": _FORGOTTEN,
    "trending": _FORGOTTEN,
    "popular": _FORGOTTEN,
}


def gaps(
    customer_id: str,
    profile: ProfileUpdated | None,
    recent: bool,
    vectors: int,
    space: str | None,
    boards: Boards,
) -> dict[Strategy, str]:
    """`recent`: products looked at are known. `vectors`: of the profile's needs, found in `space`, which the catalogue
    is embedded in (None: not yet)."""
    found: dict[Strategy, str] = {}
    personal = _personal(customer_id, profile, vectors, space)
    if personal:
        found["personalised"] = personal
    if not recent:
        found["co_visited"] = found["graph"] = "no product that this customer looked at is known"
    if boards.trending:
        found["trending"] = "what was looked at was not in the last hours, or may not be shown"
    if boards.popular:
        found["popular"] = "what is popular may not be shown"
    return found


def _personal(customer_id: str, profile: ProfileUpdated | None, vectors: int, space: str | None) -> str:
    if profile is None:
        return "no profile of this customer yet" if customer_id else "nobody is known"
    needs, encoder = len(profile.needs), profile.encoder or space
    hindrances = (
        (not needs, "the profile has no needs yet"),
        (space is None, "the catalogue is not embedded yet"),
        (encoder != space, f"the needs are in {encoder}, the catalogue in {space}"),
        (vectors != needs, f"{vectors} need vectors for {needs} needs: they are being written anew"),
    )
    return next((why for hinders, why in hindrances if hinders), "")
