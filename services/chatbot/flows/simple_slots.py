"""The slots that a text tells by itself: reason, payment method, address, what is looked for, what went wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapport.events.orders import OrderUpdated, PaymentMethod
from rapport.text.normalise import normalise
from services.chatbot.domain.understanding import plain_form
from services.chatbot.domain.words import content_words

# Longest free text taken over into a command, in characters.
_LONGEST = 300
_ORIGINAL = re.compile(
    r"\b(original|same|how i paid|used (for|to)|i (paid|used)|paid with)\b|原(路|支付|来|付款)|付款时"
)
_KIND_WORDS = {
    "gift_card": r"gift ?(card|certificate)|\bgc\b|礼品卡|购物卡",
    "credit_card": r"(credit|debit|bank) ?card|\b(visa|mastercard|amex)\b|\bmy card\b|信用卡|银行卡",
    "paypal": r"\bpay ?pal\b|贝宝",
    "alipay": r"\bali ?pay\b|支付宝",
    "wechat": r"\bwe ?chat\b|微信",
}
# What stands before an address; the address itself does not begin like a reference to the order.
_ADDRESS = re.compile(
    r"(?:\b(?:to|is|should be|address)\b|:|：|改成|改到|改为|换成|换到|寄到|送到|发到|是)[\s:：]*"
    r"(?=(?P<address>(?!(?:of|for|on|in|my|the|this|order|be|is|to)\b|#)[^\s].*))",
    re.DOTALL,
)
# A house number beside a name, or a Chinese street.
_STREET = re.compile(r"\d+\s?号|\b\d+\w?[, ]+\w+|\w+ \d+\w?,|[路街道巷区市]")
_LEAD = re.compile(
    r"^.*?\b(?:do you (?:guys )?(?:have|sell|carry|stock)|(?:looking|searching|shopping|search) for|show me|find me|"
    r"find|search|need|want to buy|buy)\b\s*(?:any|some|a|an|the|me)?\s*|"
    r"^.*?(?:有没有|有卖|卖不卖|想要|想买|要买|找一?下?|搜索?一?下?|看看|买)(?:一?(?:些|个|双|件|款|台|副))?"
)
_COMPLAINT = re.compile(
    r"\b(?:complain(?:t)?|complaint)\b\s*(?:about|that|:|because)?\s*(?P<en>.*)|投诉[:：，, ]*(?P<zh>.*)", re.DOTALL
)
# Shorter is an order number, not an address.
_LEAST_ADDRESS = 8
# Fewer words say that there is a complaint, not which.
_LEAST_ABOUT = 2
# Said while thinking, and no reason.
_HESITATES = re.compile(r"^(?:h+m+|u+h*m*|e+r+m*|what|huh|pardon|嗯+|呃+|额+|什么|啊+)\W*$")


def reason_in(text: str, reasons: Sequence[str], *, asked: bool, accepted: Sequence[str] = ()) -> str | None:
    """The first of the `reasons` that stand in the text and are accepted (none: any); else, asked for, its words."""
    told = next((code for code in reasons if not accepted or code in accepted), None)
    if told is not None:
        return told
    said = asked and not accepted and content_words(text) and not _HESITATES.match(plain_form(text))
    return normalise(text)[:_LONGEST] if said else None


def method_in(text: str, order: OrderUpdated) -> PaymentMethod | None:
    """The payment method on file that the text names by kind, label or last digits, or as the one used before."""
    plain = plain_form(text)
    named = [one for one in order.payment_methods if _names(plain, one)]
    if len(named) > 1:
        narrower = [one for one in named if one.label and any(word in plain for word in _digits(one))]
        named = narrower or named
    if len(named) == 1:
        return named[0]
    if not named and _ORIGINAL.search(plain):
        return next((one for one in order.payment_methods if one.id == order.payment_method), None)
    return None


def address_in(text: str, *, asked: bool) -> str | None:
    """The address: what follows "to" and has a street in it; asked for, the whole text where nothing leads up to it."""
    plain = normalise(text)
    told = [found["address"] for found in _ADDRESS.finditer(plain)]
    # The last one: "I want to change the address to …" leads up to it twice.
    address = next((one for one in reversed(told) if _STREET.search(one) and len(one) > _LEAST_ADDRESS), None)
    if asked and any(letter.isdigit() for letter in plain) and len(plain) > _LEAST_ADDRESS:
        address = address or plain
    return address.strip(" .。")[:_LONGEST] if address else None


def query_in(text: str, *, asked: bool) -> str | None:
    """What is looked for, without the words around it."""
    plain = plain_form(text)
    lead = None if asked else _LEAD.search(plain)
    query = plain[lead.end() :] if lead else plain
    query = re.sub(r"(吗|呢|的|卖)?[?？!！。.]*$", "", query).strip()
    return query if content_words(query) else None


def about_in(text: str, *, asked: bool) -> str | None:
    """What the complaint is about."""
    found = _COMPLAINT.search(normalise(text)) if not asked else None
    told = (found["en"] or found["zh"] or "").strip(" .。") if found else normalise(text)
    return told[:_LONGEST] if len(content_words(told)) >= (1 if asked else _LEAST_ABOUT) else None


def _names(plain: str, method: PaymentMethod) -> bool:
    words = _KIND_WORDS.get(method.kind, re.escape(method.kind.replace("_", " ")))
    return re.search(words, plain) is not None or any(word in plain for word in _digits(method))


def _digits(method: PaymentMethod) -> list[str]:
    return re.findall(r"\d{4,}", method.label or "")
