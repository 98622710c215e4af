"""Which aspect of the shop a text speaks of, clause by clause, in English and Chinese.

By words, which say it plainly in shop talk; a classifier of aspects takes their place where a shop has promoted one
(`adapters/aspects.py`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

from rapport.text.sentences import split_sentences

ASPECTS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        name: re.compile(words, re.IGNORECASE)
        for name, words in {
            "delivery": r"\b(deliver\w*|shipp\w*|courier|parcel|arriv\w+|dispatch\w*|in transit|tracking)\b"
            r"|物流|快递|发货|送货|配送|到货|收货|送达|运费|包裹",
            "price": r"\b(pric\w+|cheap\w*|expensive|cost\w*|value for money|bargain|overpriced|discount\w*|money)\b"
            r"|价格|便宜|性价比|划算|实惠|降价|优惠|太贵|价钱|很贵|好贵",
            "quality": r"\b(quality|sturdy|durable|broke\w*|break\w*|flimsy|stitching|fell apart|well made|material"
            r"|defect\w*|scratch\w*|worn out)\b|质量|做工|材质|品质|坏了|结实|耐用|瑕疵|破损|质感",
            "service": r"\b(service|support|staff|customer care|rude|helpful|refund\w*|reply|replied|complain\w*)\b"
            r"|客服|服务|态度|售后|退款|退货|换货|投诉",
            "packaging": r"\b(packag\w+|packed|box|wrapp\w+|dented)\b|包装|盒子|外箱|纸箱",
            "fit": r"\b(fits?|size|sizing|too (small|big|large|tight|loose|narrow|wide)|true to size|comfortable)\b"
            r"|尺码|尺寸|大小|偏大|偏小|合身|合脚|码数|舒适|舒服",
            "description": r"\b(as described|description|pictur\w+|photo\w*|colou?r|looks like|fake|genuine)\b"
            r"|描述|图片|颜色|色差|实物|正品|假货|仿品",
        }.items()
    }
)
# Within a sentence the tone turns at these.
_TURN = re.compile(r"[,;，；、]|\b(?:but|although|though|however|while|yet)\b|但是|可是|不过|然而|只是", re.IGNORECASE)
# A clause of fewer letters ("good,") belongs to its neighbour; a character of Chinese says as much as three letters.
_LEAST_LETTERS = 6


def aspects_of(text: str) -> dict[str, str]:
    """By aspect, the words of the text that speak of it. Empty when it speaks of none."""
    return gathered(
        (clause, [aspect for aspect, words in ASPECTS.items() if words.search(clause)]) for clause in clauses_of(text)
    )


def gathered(told: Iterable[tuple[str, Collection[str]]]) -> dict[str, str]:
    """By aspect, the clauses that speak of it, joined; from each clause and its aspects."""
    found: dict[str, list[str]] = {}
    for clause, aspects in told:
        for aspect in aspects:
            found.setdefault(aspect, []).append(clause)
    return {aspect: " ".join(clauses) for aspect, clauses in found.items()}


def clauses_of(text: str) -> list[str]:
    """The parts of a text within which the tone does not turn."""
    clauses: list[str] = []
    for sentence in split_sentences(text):
        held = ""
        for part in _TURN.split(sentence.text):
            held = f"{held} {part.strip()}".strip() if part else held
            if len(held.encode()) >= _LEAST_LETTERS:
                clauses.append(held)
                held = ""
        if held and clauses:
            clauses[-1] = f"{clauses[-1]} {held}"
        elif held:
            clauses.append(held)
    return clauses
