"""Templates are checked when they are loaded, run in a sandbox, and pass the checks that they are published under."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from rapport.events.content import Channel, ContentKind
from rapport.ops.errors import ConfigurationError
from services.content.domain.templates import Templates

from .conftest import TEMPLATES, brief, handlers


def folder(tmp_path: Path, text: str) -> Path:
    (tmp_path / "en.yaml").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("- {id: a, kind: campaign, text: 'Buy {{ prize }}'}", "prize"),
        ("- {id: a, kind: poem, text: 'x'}", "kind"),
        ("- {id: a, kind: campaign, text: '{{ product.name '}", "does not render"),
        ("- {id: a, kind: campaign, text: '{{ product.__class__.__mro__ }}'}", "does not render"),
        ("- {id: a, kind: campaign, text: '{{ product.nothing }}'}", "does not render"),
        ("- {id: a, kind: campaign, text: '{{ words }}'}", "words"),
        ("- {id: a, kind: campaign, text: x}\n- {id: a, kind: campaign, text: y}", "twice"),
        ("- {id: a, kind: campaign, text: 'Meet {{ product.name }}'}", "no plain template"),
    ],
)
def test_a_wrong_template_stops_the_start_and_is_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        Templates.load(folder(tmp_path, text))


def test_every_template_can_be_previewed() -> None:
    for language, entry in TEMPLATES.entries():
        assert all(TEMPLATES.preview(language, entry.id)), entry.id


@pytest.mark.parametrize("kind", get_args(ContentKind))
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_every_template_of_every_kind_and_channel_passes_its_own_checks(kind: str, language: str) -> None:
    for channel in get_args(Channel):
        for market in (None, "cn", "eu", "us", "gb"):
            for discount in (None, "20", "12.5"):
                service, _ = handlers()
                asked = brief(
                    kind=kind,
                    channel=channel,
                    language=language,
                    discount_percent=discount,
                    variants=2,
                    market=market,
                    writer="template",
                )
                created = await service.create(asked, "default")
                assert all(decision.accepted for variant in created.content.variants for decision in variant.trail), [
                    (v.text, v.trail[0].problems) for v in created.content.variants
                ]
                assert len(created.content.variants) == 2, (channel, created.content.variants)
