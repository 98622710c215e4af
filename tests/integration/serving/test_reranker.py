"""A cross-encoder as torch runs it: a small one with random weights, since the pairs' handling is what is tried."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertForSequenceClassification

from rapport.models.ports import PAIR, Role
from rapport.models.torch_reranker import TorchReranker
from rapport.ops.errors import ModelError

WORDS = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "red", "shirt", "blue", "shoes", "return", "parcel"]


def cross_encoder(folder: Path, labels: int = 1) -> Path:
    torch.manual_seed(0)
    made: Any = BertConfig  # its labels come by keywords that its types do not know
    config = made(
        vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=32, num_labels=labels, pad_token_id=0, initializer_range=0.5,
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel({word: at for at, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def test_a_pair_has_the_same_score_alone_and_among_longer_ones(tmp_path: Path) -> None:
    reranker = TorchReranker(cross_encoder(tmp_path), "tiny", "cpu", 1)
    pairs = [f"red shirt{PAIR}{passage}" for passage in ("blue", "blue shoes " * 3, "return parcel", "")]
    sequences = reranker.tokenize(pairs, Role.QUERY)
    assert sequences[0] == [1, 4, 5, 2, 6, 2]
    together = reranker.forward(sequences)
    assert together.shape == (4, 1)
    alone = np.concatenate([reranker.forward([sequence]) for sequence in sequences])
    assert np.allclose(together, alone, atol=5e-2)
    assert np.ptp(together) > 0.2
    # As transformers' own tokenizers would have it: what follows the query's mark is of the second type.
    network: Any = BertForSequenceClassification.from_pretrained(tmp_path)
    with torch.inference_mode():
        given = {"input_ids": torch.tensor(sequences[:1]), "token_type_ids": torch.tensor([[0, 0, 0, 0, 1, 1]])}
        wanted = float(network.eval()(**given).logits)
    assert float(together[0, 0]) == pytest.approx(wanted, abs=5e-2)


def test_a_passage_beyond_the_window_is_cut(tmp_path: Path) -> None:
    reranker = TorchReranker(cross_encoder(tmp_path), "tiny", "cpu", 1)
    sequences = reranker.tokenize([f"red shirt{PAIR}{'blue ' * 500}"], Role.QUERY)
    assert len(sequences[0]) == 32
    assert sequences[0][:4] == [1, 4, 5, 2]
    assert np.isfinite(reranker.forward(sequences)).all()


def test_a_classifier_of_several_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="3 scores"):
        TorchReranker(cross_encoder(tmp_path, labels=3), "tiny", "cpu", 1)
