"""multilingual-e5-small as the product runs it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from rapport.models.ports import Role, Rows
from rapport.models.sets import SETS
from rapport.models.sources import locate
from rapport.models.torch_encoder import TorchEncoder
from rapport.ops.settings import Settings
from rapport.serving.loading import LoadedEncoder

# The same shop sentences in both languages, line by line.
ENGLISH = (
    "Waterproof hiking boots with a thick sole",
    "A quiet electric kettle made of stainless steel",
    "Red cotton summer dress",
    "Wireless headphones with noise cancelling",
    "Green tea from this year's first harvest",
    "A wooden puzzle for children from three years on",
    "How do I return a parcel that arrived broken?",
    "When will my order be delivered?",
    "Can I pay by card in three instalments?",
    "A warm winter jacket filled with down",
    "Non-slip yoga mat",
    "I would like to talk to a human agent",
)
CHINESE = (
    "厚底防水登山靴",
    "不锈钢静音电热水壶",
    "红色纯棉夏季连衣裙",
    "降噪无线耳机",
    "今年头采的绿茶",
    "适合三岁以上儿童的木制拼图",
    "收到的包裹坏了，怎么退货？",
    "我的订单什么时候送到？",
    "可以刷卡分三期付款吗？",
    "保暖的冬季羽绒服",
    "防滑瑜伽垫",
    "我想找人工客服",
)


def embed(encoder: LoadedEncoder, texts: Sequence[str], role: Role) -> Rows:
    return encoder.backend.forward(encoder.backend.tokenize(texts, role))


@pytest.mark.parametrize(("asked", "found"), [(ENGLISH, CHINESE), (CHINESE, ENGLISH)])
def test_a_sentence_finds_its_translation(encoder: LoadedEncoder, asked: Sequence[str], found: Sequence[str]) -> None:
    scores = embed(encoder, asked, Role.QUERY) @ embed(encoder, found, Role.PASSAGE).T
    assert sum(scores.argmax(axis=1) == np.arange(len(asked))) >= 10


def test_the_role_s_prefix_reaches_the_model(encoder: LoadedEncoder) -> None:
    tokenized = [encoder.backend.tokenize(["shirt"], role)[0] for role in (Role.QUERY, Role.PASSAGE)]
    assert tokenized[0] != tokenized[1]
    assert len(tokenized[0]) > 3


def test_the_same_vector_alone_and_in_a_batch(encoder: LoadedEncoder) -> None:
    texts = [*ENGLISH, *CHINESE, "", "word " * 2000, "字" * 3000, "\0", "👟" * 50]
    together = embed(encoder, texts, Role.PASSAGE)
    alone = np.concatenate([embed(encoder, [text], Role.PASSAGE) for text in texts])
    assert (together * alone).sum(axis=1).min() >= 0.999
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-4)


def test_long_texts_are_cut_to_the_window(encoder: LoadedEncoder) -> None:
    lengths = [len(ids) for ids in encoder.backend.tokenize(["word " * 2000, "字" * 500_000], Role.PASSAGE)]
    assert max(lengths) == 512


def test_every_number_format_gives_the_same_vectors(settings: Settings) -> None:
    """Whatever this machine computes in, the vectors in Redis are good for the next one."""
    choice = SETS["tiny"].encoder
    folder = locate(choice, settings.models.cache)
    texts = [*ENGLISH, *CHINESE]
    rows = []
    for dtype in (torch.float32, torch.bfloat16):
        backend = TorchEncoder(folder, choice.name, choice.prefixes, "cpu", 0, dtype)
        rows.append(backend.forward(backend.tokenize(texts, Role.PASSAGE)))
    assert (rows[0] * rows[1]).sum(axis=1).min() >= 0.999


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("The handle broke off after two days, what a waste of money.", "negative"),
        ("Beautiful lamp, exactly as described, we love it.", "positive"),
        ("Which sizes do you have in stock?", "neutral"),
        ("做工太差了，用两天把手就断了。", "negative"),
        ("灯很漂亮，和描述一样，我们都喜欢。", "positive"),
        ("请问还有哪些尺码？", "neutral"),
    ],
)
def test_sentiment_in_both_languages(encoder: LoadedEncoder, text: str, label: str) -> None:
    head = encoder.heads["sentiment"]
    probabilities = head.probabilities(embed(encoder, [text], head.role), [text])
    assert head.labels[int(probabilities.argmax())] == label
