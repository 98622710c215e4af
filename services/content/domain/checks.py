"""All checks on finished copy, joined: what is not found wrong here may go out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from rapport.ops.errors import InvalidRequest
from rapport.text.tokens import tokens
from services.content.domain.checking.channels import Channels
from services.content.domain.checking.dates import date_problems
from services.content.domain.checking.figures import figure_problems, states_offer, without_figures
from services.content.domain.checking.lexicon import Lexicon
from services.content.domain.checking.numbers import numbers
from services.content.domain.checking.passage import PRODUCT_MARKS, Passage, one_form, passage
from services.content.domain.checking.privacy import addresses, privacy_problems
from services.content.domain.checking.problem import Problem
from services.content.domain.checking.rules import Rules
from services.content.domain.checking.similarity import likeness, shingles
from services.content.domain.facts import Facts, ProductFacts
from services.content.domain.quality import fluency

_HAN = re.compile(r"[\u3400-\u9fff]")
# Below this a text has more than one thing that readers stumble over (quality.py).
_LEAST_FLUENCY = 0.75
# Words of the model's own, figures included, below which it has written none.
_FEWEST_WORDS = 2
# Beyond this share of common words and pairs two texts read as the same one.
_SAME_FROM = 0.8
# What a product's own name may not hold: it would put an offer, a link or an instruction into every text that names it.
_NAME_CODES = frozenset({"unfinished", "toxic"})
_OFFER_IN_NAME = re.compile(
    r"\d\s*%\s*(?:off|discount|sale)|(?:save|only|now)\s*[€$£¥]\s*\d|\d\s*折|free (?:shipping|gift)|包邮|"
    r"https?:|www\.|\w@\w",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Checker:
    """Finds what is wrong with copy. Immutable: safe to share."""

    rules: Rules
    lexicon: Lexicon
    channels: Channels
    strict: bool = True
    """Whether the model may use only neutral words and those of the facts."""

    @classmethod
    def load(cls, rules: Path, lexicon: Path, *, strict: bool = True) -> Checker:
        """Raises `ConfigurationError` naming the file and the rule."""
        return cls(Rules.load(rules), Lexicon.load(lexicon), Channels.load(lexicon / "channels.yaml"), strict)

    def screened(self, facts: Facts) -> Facts:
        """`facts` less the sentences of descriptions that copy must not repeat.

        Raises `InvalidRequest` naming the market, product or statement that no copy could be written with.
        """
        if facts.market is not None and facts.market not in self.rules.markets:
            known = ", ".join(sorted(self.rules.markets))
            raise InvalidRequest(f"no rules for the market {facts.market!r}", field="market", fix=f"one of {known}")
        for product in facts.products:
            for name in product.names:
                self._accept_name(name, product, facts)
        for statement in facts.statements:
            self._accept_statement(statement, facts)
        if facts.link is not None and not re.fullmatch(r"https://[^\s<>\"']{4,500}", facts.link):
            raise InvalidRequest("must be an https address", field="link")
        return replace(facts, products=tuple(self._screened_product(product, facts) for product in facts.products))

    def problems(
        self,
        text: str,
        facts: Facts,
        *,
        kind: str,
        channel: str,
        need: str = "",
        model: bool = True,
        recent: Iterable[str] = (),
    ) -> list[Problem]:
        """Everything wrong with `text`; empty when it may go out.

        `need`: the customer's interest that the text may name. `model`: whether a language model wrote it: its words
        are held to the strict vocabulary. `recent`: texts that it must not repeat.
        """
        found = list(self.channels.problems(text, facts, kind=kind, channel=channel))
        way_out = self.channels.opt_out(kind, channel, facts.code)
        read = passage(text, facts, need, way_out, facts.link or "")
        dates, rest = date_problems(read.bare, facts)
        found += dates
        found += self._fact_problems(read, rest, facts, kind)
        found += self.rules.problems(read.bare, facts)
        found += _privacy(read, facts)
        found += self.lexicon.unsupported(read.bare, facts)
        if model:
            found += _reading_problems(text, read, kind)
        if model and self.strict:
            found += self.lexicon.unknown(without_figures(rest), facts)
        if not _in_language(read, chinese=facts.chinese):
            found.append(Problem("language", f"is not written in {facts.language}"))
        own = shingles(text)
        if any(likeness(own, shingles(other)) >= _SAME_FROM for other in recent):
            found.append(Problem("duplicate", "repeats recent copy"))
        return list(dict.fromkeys(found))

    def reference_allowed(self, facts: Facts) -> bool:
        """Whether the price before the discount may be told in the facts' market."""
        if facts.prior_price is not None and any(
            product.price and facts.prior_price < product.price for product in facts.products
        ):
            return False
        return not self.rules.forbid_reference(facts)

    def with_endings(self, text: str, facts: Facts, *, kind: str, channel: str) -> str:
        """`text` with the brief's link and the channel's way out, where they belong and are not there yet."""
        way_out = self.channels.opt_out(kind, channel, facts.code)
        link = facts.link if facts.link and self.channels.by_name[channel].links and kind != "subject_line" else ""
        return " ".join([text, *(part for part in (link, way_out) if part and part not in text)])

    def without_endings(self, text: str, facts: Facts, *, kind: str, channel: str) -> str:
        """`text` without the link and the way out."""
        for part in (self.channels.opt_out(kind, channel, facts.code), facts.link or ""):
            text = text.removesuffix(part).rstrip() if part else text
        return text

    def claims(self, text: str, facts: Facts) -> list[Problem]:
        """Broken rules and personal data alone: for texts that are no finished copy."""
        bare = one_form(text)
        return [*self.rules.problems(bare, facts), *privacy_problems(bare)]

    def _fact_problems(self, read: Passage, rest: str, facts: Facts, kind: str) -> Iterator[Problem]:
        if not read.named:
            yield Problem("product", f"does not name {facts.products[0].name}")
        yield from figure_problems(rest, facts, read)
        if kind == "campaign" and facts.discount_percent is not None and not states_offer(rest, facts):
            yield Problem("offer", f"does not state the discount of {facts.discount_text}")

    def _accept_name(self, name: str, product: ProductFacts, facts: Facts) -> None:
        plain = one_form(name)
        wrong = [problem for problem in self.rules.problems(plain, facts) if problem.code in _NAME_CODES]
        if wrong or _OFFER_IN_NAME.search(plain):
            why = wrong[0].text if wrong else "it holds an offer or a link"
            raise InvalidRequest(
                f"copy cannot name {product.product_id}: {why}",
                field="product_ids",
                fix="correct its title in the catalogue",
            )

    def _accept_statement(self, statement: str, facts: Facts) -> None:
        percents = {
            n.value
            for n in numbers(one_form(statement))
            if n.measure == "percent" and n.unit in {"off", "discount", ""}
        }
        if percents and facts.discount_percent not in percents:
            raise InvalidRequest(f"contradicts discount_percent: {statement!r}", field="statements")
        wrong = [p for p in self.claims(statement, facts) if p.code in {"toxic", "personal_data", "unfinished", "link"}]
        if wrong:
            raise InvalidRequest(wrong[0].text, field="statements")

    def _screened_product(self, product: ProductFacts, facts: Facts) -> ProductFacts:
        kept = [text for text in product.sentences if not self._unquotable(text, facts)]
        joint = "" if facts.chinese else " "
        description = product.description if len(kept) == len(product.sentences) else joint.join(kept)
        return replace(product, description=description)

    def _unquotable(self, sentence: str, facts: Facts) -> bool:
        """Whether a catalogue sentence breaks a rule, or tells prices or discounts, which the brief alone decides."""
        told = {number.measure for number in numbers(one_form(sentence))}
        offer = _OFFER_IN_NAME.search(one_form(sentence))
        return bool(told & {"money", "zhe"}) or offer is not None or bool(self.claims(sentence, facts))


def _privacy(read: Passage, facts: Facts) -> Iterator[Problem]:
    """Personal data. E-mail addresses in the plain text besides: a brand's name in one is a mark in the bare text."""
    yield from privacy_problems(read.bare)
    for address in addresses(read.plain):
        if not any(address.quote in one_form(words) for words in facts.quotable):
            yield address


def _reading_problems(text: str, read: Passage, kind: str) -> Iterator[Problem]:
    """What a model's text lacks as a text: words besides the given ones, and sentences that can be read."""
    score = fluency(text, whole=kind != "subject_line")
    if score < _LEAST_FLUENCY:
        yield Problem("fluency", f"reads badly ({score:.2f})")
    own = PRODUCT_MARKS.sub(" ", read.bare).replace("\uf8ff", " ")
    if len(tokens(own)) < _FEWEST_WORDS:
        yield Problem("fluency", "adds no words to what is given")


def _in_language(read: Passage, *, chinese: bool) -> bool:
    """Whether the copywriter's own words are in the language; names in another one may stand among them."""
    bare = PRODUCT_MARKS.sub(" ", read.bare)
    han = len(_HAN.findall(read.plain if chinese else bare))
    latin = sum(character.isascii() and character.isalpha() for character in bare)
    # A Chinese character says about as much as three Latin letters.
    return han * 3 > latin if chinese else han * 3 <= latin
