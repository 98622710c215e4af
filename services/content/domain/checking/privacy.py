"""Personal data in copy: what reaches customers never holds somebody's address, number or document.

The patterns follow the forms in which such data is written; card numbers are checked by Luhn's sum, IBANs by their
length. Personal names are looked for by their surroundings ("Mr", "Dear Ms Smith", 先生), since a list of names would
be nobody's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from services.content.domain.checking.problem import Problem

_EMAIL = re.compile(r"[\w.+%-]+\s?(?:@|\(at\)|\[at\])\s?[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("e-mail address", _EMAIL),
    ("IP address", re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b|\b(?:[0-9a-f]{1,4}:){4,7}[0-9a-f]{1,4}\b", re.IGNORECASE)),
    ("IBAN", re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b")),
    ("identity number", re.compile(r"\b\d{17}[\dXx]\b|\b\d{3}[- ]\d{2}[- ]\d{4}\b|\b[A-Z]{1,2}\d{6,9}\b")),
    ("phone number", re.compile(
        r"(?<![\d.,])(?:\+|00)\d{1,3}[\s.(/-]*\d(?:[\s.()/-]*\d){5,12}(?!\d)|"
        r"(?<![\d.,])\(?0?\d{2,4}\)[\s.-]*\d(?:[\s.-]*\d){4,9}(?!\d)|"
        r"(?<![\d.,€$£¥])1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)"
        r"|(?<![\d.,])\d{2,5}[ .-]\d{2,4}[ .-]\d{2,4}(?:[ .-]?\d{2,4}){0,2}(?!\d)|"
        r"(?<![\d.,€$£¥])\d{7,12}(?![\d.,]*\s?(?:€|EUR|元|毫|g\b|mAh))|\bx\d{3,6}\b")),
    ("postal address", re.compile(
        r"\b\d{1,6}[A-Za-z]?,? (?:\d+ )?(?:[A-Z][\w'.-]+ ){1,4}(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|"
        r"Drive|Dr|Boulevard|Blvd|Way|Court|Ct|Close|Square|Place|Pl|Terrace|Circle|Parkway)\b\.?"
        r"|\b(?:Apt|Apartment|Suite|Unit|Flat|P\.?O\.? Box)\.? ?#?\d+|(?:省|市|区|县|镇).{0,12}(?:路|街|"
        r"道|巷|弄)\s?\d+\s?号|\d+\s?(?:号楼|单元|室)|\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b|"
        r"\b[A-Z]{2} \d{5}(?:-\d{4})?\b|(?i:\b(?:zip|post ?code|postal code)\b\W{0,3}\w*\d)|"
        r"(?i:\b(?:lives? (?:at|on|in)|address (?:is|of|to)|billing address|located (?:at|on)|taxi to|"
        r"reside[sd]?|moved to)\b.{0,60}\d)|"
        r"\b(?:ul\.|rue|calle|via|strada|avenida|[A-Z]\w+(?:stra(?:ss|ß)e|straat|gatan|gata|veien|vej|"
        r"katu|utca|weg)) ?\w* ?\d*",
        )),
    ("person's name", re.compile(
        r"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof)\b\.? ?[A-Z][\w'-]+|\b(?:Dear|Hi|Hello|Hey) (?!there|You|Friend|"
        r"Customer|Shopper|Fellow|All|Everyone)[A-Z][a-z]+(?: [A-Z][a-z]+)?(?=[,!])"
        r"|(?i:\b(?:my|your|his|her|the) name (?:is|in)\b|\bname on (?!it\b)|\bsigned by\b|\bon behalf of\b)|"
        r"[\u4e00-\u9fff]{1,3}(?:先生|女士|小姐)(?!们|款|的)|(?:尊敬|"
        r"亲爱)的[\u4e00-\u9fff]{2,3}(?=[,，:：!])(?<!顾客)(?<!客户)(?<!朋友)(?<!用户)(?<!会员)")),
    ("birth date", re.compile(r"\b(?:born (?:on|in)|date of birth|dob|birthday:)\b|出生于|生日[:：]", re.IGNORECASE)),
    ("web user", re.compile(
        r"(?<!\w)@[A-Za-z]\w{2,}|(?:微信|qq|wechat|weixin)\s*(?:号|:|：|加)?\s*[\w-]{5,}", re.IGNORECASE)),
)  # fmt: skip
_CARD = re.compile(r"(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d.])")


def privacy_problems(bare: str) -> Iterator[Problem]:
    """Personal data in `bare`, by kind."""
    for match in _CARD.finditer(bare):
        digits = [int(c) for c in match.group() if c.isdigit()]
        if _luhn(digits):
            yield Problem("personal_data", f"personal data (card number): {match.group()!r}", match.group())
    for kind, pattern in _PATTERNS:
        if found := pattern.search(bare):
            yield Problem("personal_data", f"personal data ({kind}): {found.group()!r}", found.group())


def addresses(text: str) -> Iterator[Problem]:
    """E-mail addresses alone."""
    for found in _EMAIL.finditer(text):
        yield Problem("personal_data", f"personal data (e-mail address): {found.group()!r}", found.group())


def _luhn(digits: list[int]) -> bool:
    doubled = [d if at % 2 == 0 else sum(divmod(2 * d, 10)) for at, d in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0
