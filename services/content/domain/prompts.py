"""What the language model is told. It words facts; it is never asked to know any."""

from __future__ import annotations

from collections.abc import Sequence

from services.content.domain.facts import Facts

_TASKS = {
    "campaign": "Write one short sentence that announces this offer.",
    "product_description": "Write two short sentences that describe this product.",
    "subject_line": "Write one e-mail subject line of at most eight words.",
    "win_back": "Write one short, friendly sentence for a customer who has not visited for a while.",
    "recommendation": "Write one short sentence that suggests this product.",
}


def prompt(kind: str, facts: Facts, *, tone: str, problems: Sequence[str]) -> list[tuple[str, str]]:
    """(role, text) turns. `problems`: what was wrong with the try before."""
    first = facts.products[0]
    lines = [
        f"Product: {first.name}",
        f"Description: {first.description}" if first.description else "",
        f"Price: {first.shown(first.price)}" if first.price is not None and first.sale_price is None else "",
        f"Discount: {facts.discount_text}" if facts.discount_text else "",
        f"Price now: {first.shown(first.sale_price)}" if first.sale_price is not None else "",
        f"Ends: {facts.day(facts.ends_at)}" if facts.ends_at else "",
        f"Tone: {tone}",
        f"Do not repeat this mistake: {problems[0]}" if problems else "",
    ]
    rules = "Use only the facts given. Name the product. No other numbers, no superlatives, no promises."
    language = "Answer in Chinese." if facts.chinese else "Answer in English."
    asked = "\n".join([_TASKS[kind], *(line for line in lines if line)])
    return [("system", f"You are a careful shop copywriter. {rules} {language}"), ("user", asked)]


def tidy(text: str) -> str:
    """The model's answer without quotation marks, headings or what follows the first paragraph."""
    first = next((line for line in text.strip().splitlines() if line.strip()), "")
    return first.strip().strip("\"'“”*# ").strip()
