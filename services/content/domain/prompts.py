"""What the language model is told. It words facts; it is never asked to know any."""

from __future__ import annotations

from collections.abc import Sequence

from services.content.domain.facts import Facts
from services.content.domain.templates import WordsSlot

PROMPT_VERSION = "3"
"""Raise with every change of the words below: outcomes are counted by it."""
_WHOLE = {
    "campaign": "Write one short sentence that announces this offer.",
    "product_description": "Write two short sentences that describe this product.",
    "subject_line": "Write one e-mail subject line of at most eight words.",
    "win_back": "Write one short, friendly sentence for a customer who has not visited for a while.",
    "back_in_stock": "Write one short sentence that says this product can be ordered again.",
    "recommendation": "Write one short sentence that suggests this product.",
}
_OPENING = {
    "campaign": "Write one short, inviting opening sentence for a message about this product.",
    "product_description": "Write one short, inviting opening sentence for a text about this product.",
    "win_back": "Write one short, warm sentence that welcomes back a customer who has not visited for a while.",
    "back_in_stock": "Write one short, happy sentence for a customer who waited.",
}


_MUG, _ZH_MUG = "Product: Larkmoor Mug\nDescription: Holds 300 ml.", "Product: 青原马克杯\nDescription: 容量300毫升。"
_SALE = "\nDiscount: 15% off\nPrice now: €8.50\nEnds: 4 May"
_ZH_SALE = "\nDiscount: 8.5折\nPrice now: €8.50\nEnds: 5月4日"
_Shown = tuple[tuple[str, str], ...]
_EXAMPLES: dict[bool, dict[str, _Shown]] = {
    False: {
        "campaign": ((_WHOLE["campaign"] + "\n" + _MUG + _SALE, "Larkmoor Mug is 15% off until 4 May, now €8.50."),),
        "product_description": (
            (_WHOLE["product_description"] + "\n" + _MUG, "Larkmoor Mug holds 300 ml. Enjoy it every morning."),
        ),
        "subject_line": ((_WHOLE["subject_line"] + "\n" + _MUG, "Say hello to Larkmoor Mug"),),
        "win_back": ((_WHOLE["win_back"] + "\n" + _MUG, "Welcome back, take a look at Larkmoor Mug."),),
        "back_in_stock": ((_WHOLE["back_in_stock"] + "\n" + _MUG, "You can order Larkmoor Mug again."),),
        "recommendation": ((_WHOLE["recommendation"] + "\n" + _MUG, "Start your day with Larkmoor Mug."),),
        "opening": (("Write one short opening sentence.\nProduct: a mug", "Something good is waiting for you."),),
    },
    True: {
        "campaign": ((_WHOLE["campaign"] + "\n" + _ZH_MUG + _ZH_SALE, "青原马克杯8.5折,截至5月4日,现价€8.50。"),),
        "product_description": (
            (_WHOLE["product_description"] + "\n" + _ZH_MUG, "青原马克杯容量300毫升。每天早晨都用得上。"),
        ),
        "subject_line": ((_WHOLE["subject_line"] + "\n" + _ZH_MUG, "青原马克杯等您来"),),
        "win_back": ((_WHOLE["win_back"] + "\n" + _ZH_MUG, "好久不见,看看青原马克杯吧。"),),
        "back_in_stock": ((_WHOLE["back_in_stock"] + "\n" + _ZH_MUG, "青原马克杯又可以下单了。"),),
        "recommendation": ((_WHOLE["recommendation"] + "\n" + _ZH_MUG, "美好的早晨,从青原马克杯开始。"),),
        "opening": (("Write one short opening sentence.\nProduct: a mug", "美好的生活,等您来选。"),),
    },
}


def prompt(
    kind: str, facts: Facts, slot: WordsSlot, *, tone: str, problems: Sequence[str], avoid: Sequence[str] = ()
) -> list[tuple[str, str]]:
    """(role, text) turns. `problems`: what was wrong with the try before; `avoid`: texts that it must differ from."""
    if slot.task == "opening":
        task = _OPENING.get(kind, _OPENING["campaign"])
        rules = "No numbers, no prices, no product name, no superlatives, no promises."
        told = [f"Product: a {facts.products[0].category}" if facts.products[0].category else ""]
    else:
        task, told = _WHOLE[kind], _told(facts)
        rules = "Use only the facts given. Name the product. No other numbers, no superlatives, no promises."
    shown = _EXAMPLES[facts.chinese]["opening" if slot.task == "opening" else kind]
    language = "Answer in Chinese." if facts.chinese else "Answer in English."
    lines = [
        task,
        *told,
        f"Tone: {tone}",
        f"Begin otherwise than: {avoid[-1][:60]}" if avoid else "",
        f"Do not repeat this mistake: {problems[0]}" if problems else "",
    ]
    asked = "\n".join(line for line in lines if line)
    # One example each: without, a small model answers about the task instead of doing it.
    examples = [(role, text) for given, answer in shown for role, text in (("user", given), ("assistant", answer))]
    return [("system", f"You are a careful shop copywriter. {rules} {language}"), *examples, ("user", asked)]


def _told(facts: Facts) -> list[str]:
    first = facts.products[0]
    return [
        f"Product: {first.short}",
        f"Description: {first.description}" if first.description else "",
        f"Price: {first.shown(first.price)}" if first.price is not None and first.sale_price is None else "",
        f"Discount: {facts.discount_text}{'' if facts.chinese else ' off'}" if facts.discount_text else "",
        f"Price now: {first.shown(first.sale_price)}" if first.sale_price is not None else "",
        f"Ends: {facts.day(facts.ends_at)}" if facts.ends_at else "",
        f"Also say: {facts.statements[0]}" if facts.statements else "",
    ]


def tidy(text: str) -> str:
    """The model's answer without quotation marks, headings or what follows the first paragraph."""
    first = next((line for line in text.strip().splitlines() if line.strip()), "")
    return first.strip().strip("\"'“”*# ").strip()
