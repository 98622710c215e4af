"""Passages, words, scores, quotations, support."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.events.knowledge import ArticleUpserted
from services.chatbot.domain.draft import pieces
from services.chatbot.domain.extraction import quote, relevance, sentences_to_weigh
from services.chatbot.domain.grounding import SupportedSentences, supported
from services.chatbot.domain.lexical import Lexicon
from services.chatbot.domain.passages import passages
from services.chatbot.domain.ranking import HYBRID, WORDS_ONLY, ranked
from services.chatbot.domain.shelf import Fit
from services.chatbot.domain.words import content_words

PARAGRAPHS = st.lists(st.text(alphabet="ab 。.\n#", min_size=1, max_size=300), min_size=1, max_size=30)


def article(body: str, **more: str) -> ArticleUpserted:
    fields = {"article_id": "a", "language": "en", "title": "T", "body": body} | more
    return ArticleUpserted.model_validate(fields)


def test_headings_part_an_article_and_stand_in_the_reference() -> None:
    body = "Before.\n\n## Cards\nVisa works.\n\n## Cash #\nNo cash.\n"
    cut = passages(article(body))
    assert [(one.reference, one.text) for one in cut] == [
        ("T", "Before."),
        ("T: Cards", "Visa works."),
        ("T: Cash", "No cash."),
    ]


@given(PARAGRAPHS)
def test_passages_are_the_body_word_for_word_and_in_order(paragraphs: list[str]) -> None:
    body = "\n".join(paragraphs)
    end = 0
    for one in passages(article(body)):
        assert body[one.start : one.start + len(one.text)] == one.text
        assert one.start >= end
        end = one.start + len(one.text)


def test_a_rare_word_counts_more_and_an_unheard_of_word_lowers_all() -> None:
    lexicon = Lexicon()
    for number in range(10):
        lexicon.put(f"d{number}", content_words("shipping parcel customs" if number == 3 else "shipping parcel"))
    scores = lexicon.scores(content_words("shipping customs"))
    assert max(scores, key=lambda id_: scores[id_]) == "d3"
    assert lexicon.scores(content_words("shipping unicorn"))["d1"] < lexicon.scores(content_words("shipping"))["d1"]
    lexicon.remove("d3")
    assert lexicon.scores(["customs"]) == {}


def test_plural_and_tense_do_not_matter_to_words() -> None:
    assert content_words("returned items") == content_words("Return an item!")


def _fit(group: str, language: str, score: float) -> Fit:
    passage = passages(article("x", article_id=f"{group}-{language}", translation_of=group, language=language))[0]
    return Fit(passage, score, 0.0, 0.0)


def test_probabilities_leave_room_for_nothing() -> None:
    sure = ranked([_fit("a", "en", 6.0), _fit("b", "en", 1.0)], HYBRID, "en")
    unsure = ranked([_fit("a", "en", 1.0), _fit("b", "en", 1.0)], HYBRID, "en")
    assert sure[0].group == "a"
    assert sure[0].probability > 0.9
    assert sum(one.probability for one in unsure) < 0.1
    assert ranked([], WORDS_ONLY, "en") == []


def test_the_version_in_the_questions_language_counts_most_and_is_shown() -> None:
    fits = [_fit("a", "en", 2.0), _fit("a", "zh", 4.0), _fit("b", "en", 3.0), _fit("b", "zh", 2.9)]
    in_chinese, in_english = ranked(fits, HYBRID, "zh"), ranked(fits, HYBRID, "en")
    assert (in_chinese[0].group, in_english[0].group) == ("a", "b")
    assert in_chinese[0].passage_for("zh").passage.article_id == "a-zh"
    assert in_chinese[0].passage_for("fr").passage.article_id == "a-zh"


BODY = (
    "We pack orders within a day of payment and hand them to the carrier. Customs duties are paid by the recipient. "
    "The carrier tries twice to deliver, on two working days. After that the parcel waits at the shop for a week."
)


def test_a_quotation_is_one_stretch_around_the_best_sentence() -> None:
    [passage] = passages(article(f"Note.\n{BODY}"))
    sentences = sentences_to_weigh(passage)
    scores = relevance("Who pays customs duties?", sentences, None)
    found = quote(passage, sentences, scores)
    assert found.text == "Customs duties are paid by the recipient."
    assert f"Note.\n{BODY}"[found.start : found.end] == found.text


def test_a_short_passage_is_quoted_whole() -> None:
    [passage] = passages(article("No cash. Cards only."))
    assert sentences_to_weigh(passage) == []
    assert quote(passage, [], []).text == "No cash. Cards only."


SILVER = "Silver brings 60 days to return; gold adds free express delivery. If it is late we refund the fee. Never tip."


@pytest.mark.parametrize(
    "sentence",
    [
        SILVER.partition(". ")[0],
        "Silver brings 60 days to return.",
        "Gold adds express delivery",
        "If late, we refund the fee.",
    ],
)
def test_a_statement_of_the_passage_is_supported_also_with_words_left_out(sentence: str) -> None:
    assert supported(sentence, SILVER)


@pytest.mark.parametrize(
    "sentence",
    [
        "Silver brings 60 days of free express delivery.",
        "Silver brings 90 days to return.",
        "Silver brings express delivery.",
        "We refund the fee.",
        "It is late, we refund the fee.",
        "You refund the fee if it is late.",
        "Silver never brings 60 days to return.",
        "Gold to return.",
        "Free gifts come with every parcel.",
        "It is so.",
        "Tip.",
    ],
)
def test_a_sentence_that_turns_or_mixes_statements_is_not(sentence: str) -> None:
    assert not supported(sentence, SILVER)


def test_supported_sentences_come_out_whole_and_in_order() -> None:
    checked = SupportedSentences("Cards are charged at dispatch. Invoices come as PDF.")
    shown = [checked.take(piece, last=False) for piece in ("Cards are char", "ged at dispatch. Free", " pony! Invo")]
    shown.append(checked.take("ices come as PDF", last=True))
    assert shown == [[], ["Cards are charged at dispatch."], [], [" Invoices come as PDF"]]
    assert (checked.text, checked.dropped) == ("Cards are charged at dispatch. Invoices come as PDF", 1)
    assert checked.take(" Cards are charged at dispatch.", last=True) == []


@given(st.text(max_size=400))
def test_pieces_join_to_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text
    assert all(len(piece) <= 80 or piece.isspace() or piece.rstrip() for piece in pieces(text))
