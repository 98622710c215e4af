"""Exploration with known probabilities: what is shown for no other reason than to learn, and how likely that was.

Each place behind the first ones keeps its product with probability 1 - ε; with ε it is given to one of the next
candidates, each as likely. The probability of what stands there is recorded, so that clicks can be weighted by its
inverse (Horvitz and Thompson 1952; for rankings, Joachims, Swaminathan and Schnabel 2017).
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from services.recommender.domain.pool import Candidate

# Places that are never given away: what a shop shows first stays the best that is known.
SURE_PLACES = 5
# The next candidates that a place may be given to.
POOL = 20


def explored(chosen: Sequence[Candidate], others: Sequence[Candidate], share: float, seed: str) -> list[Candidate]:
    """`chosen` with places given away. The same seed gives the same answer."""
    pool = list(others[:POOL])
    if not share or not pool:
        return list(chosen)
    dice, given = Random(seed), list(chosen)
    for place in range(SURE_PLACES, len(given)):
        if not pool:
            break
        if dice.random() < share:
            drawn = pool.pop(dice.randrange(len(pool)))
            drawn.propensity = share / (len(pool) + 1)
            given[place] = drawn
        else:
            given[place].propensity = 1.0 - share
    return given
