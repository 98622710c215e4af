"""What a message wants, by exact words; and which language it is answered in."""

from __future__ import annotations

import pytest

from rapport.ops.errors import ConfigurationError
from services.chatbot.domain.languages import reply_language
from services.chatbot.domain.phrases import Phrases
from services.chatbot.domain.understanding import Understanding

UNDERSTANDING = Understanding.load()


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("Where is my order?", "order_status"),
        ("where’s my parcel", "order_status"),
        ("Has my package been shipped yet?", "order_status"),
        ("track my order", "order_status"),
        ("How do I track my order?", None),
        ("我的快递到哪了", "order_status"),
        ("帮我查一下订单", "order_status"),
        ("怎么查物流", None),
        ("What would you recommend?", "recommend"),
        ("recommend me something for the trail", "recommend"),
        ("Is there a bonus if I recommend a friend?", None),
        ("给我推荐几件", "recommend"),
        ("推荐好友有奖励吗", None),
        ("I want to talk to a human", "handoff"),
        ("agent", "handoff"),
        ("Could you connect me with customer service please", "handoff"),
        ("转人工", "handoff"),
        ("我要找真人客服", "handoff"),
        ("人工智能是什么", None),
        ("客服电话是多少", None),
        ("Is this rucksack agent-proof?", None),
        ("Hello!", "greeting"),
        ("您好", "greeting"),
        ("Thank you very much", "thanks"),
        ("谢谢！", "thanks"),
        ("How long does delivery take?", None),
        ("I want to return my shoes", "return"),
        ("How do I return an item?", None),
        ("what is your return policy", None),
        ("我要退货", "return"),
        ("怎么退货", None),
        ("please cancel my order", "cancel"),
        ("cancel RX-1001", "cancel"),
        ("can I cancel my order after it shipped?", None),
        ("cancel my newsletter subscription", None),
        ("取消我的订单", "cancel"),
        ("怎么取消订单", None),
        ("I'd like to exchange it for a bigger size", "exchange"),
        ("我要换货", "exchange"),
        ("换货流程是怎样的", None),
        ("give me my money back", "refund"),
        ("我要退款", "refund"),
        ("退款多久到账", None),
        ("where is my refund", "refund"),
        ("change the delivery address of my order", "address"),
        ("how do I change my e-mail address", None),
        ("地址填错了，帮我改", "address"),
        ("I want to make a complaint", "complaint"),
        ("你们的服务太差了", "complaint"),
        ("退货政策是什么", None),
    ],
)
def test_exact_words(text: str, intent: str | None) -> None:
    assert UNDERSTANDING.by_rule(text) == intent


@pytest.mark.parametrize(
    ("text", "hint", "before", "language"),
    [
        ("Where is it?", "", "", "en"),
        ("在哪里？", "", "", "zh"),
        ("我的 order 到哪了", "", "en", "zh"),
        ("RX", "", "zh", "en"),
        ("12345", "", "zh", "zh"),
        ("12345", "", "", "en"),
        ("Where is it?", "zh-CN", "", "zh"),
        ("Where is it?", "fr", "", "en"),
    ],
)
def test_language_of_the_reply(text: str, hint: str, before: str, language: str) -> None:
    assert reply_language(text, hint, before, "en") == language


def test_a_malformed_file_is_named_at_the_start() -> None:
    with pytest.raises(ConfigurationError, match="dancing"):
        Understanding({"dancing": {}}, {}, {})
    with pytest.raises(ConfigurationError, match="handoff"):
        Understanding({"handoff": {"patterns": ["("]}}, {}, {"handoff": ["an agent"]})
    with pytest.raises(ConfigurationError, match=r"phrases\.greeting"):
        Phrases({"greeting": {"en": "Hello"}})
