"""Networks of random weights, small enough to be trained and served within a test."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

_MARKS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


def tiny_encoder(folder: Path, texts: Sequence[str], seed: int = 0) -> Path:
    """A BERT of 32 dimensions and two layers, whose words are those of `texts`; pooled by the mean."""
    import torch
    from transformers import BertConfig, BertModel

    ids = {word: number for number, word in enumerate([*_MARKS, *_words(texts)])}
    tokenizer = Tokenizer(WordLevel(ids, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B [SEP]",
        special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])],
    )
    folder.mkdir(parents=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(ids),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder, safe_serialization=True)
    return folder


def tiny_decoder(folder: Path, texts: Sequence[str], seed: int = 0) -> Path:
    """A Llama of 32 dimensions and two layers, whose words are those of `texts`; with a chat template."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    ids = {word: number for number, word in enumerate([*_MARKS, *_words(texts)])}
    tokenizer = Tokenizer(WordLevel(ids, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]", eos_token="[SEP]", bos_token="[CLS]"
    )
    fast.chat_template = "{% for message in messages %}{{ message['content'] }} {% endfor %}"
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(ids),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=256,
        bos_token_id=ids["[CLS]"],
        eos_token_id=ids["[SEP]"],
        pad_token_id=ids["[PAD]"],
    )
    folder.mkdir(parents=True)
    fast.save_pretrained(folder)
    LlamaForCausalLM(config).save_pretrained(folder, safe_serialization=True)
    return folder


def tiny_adapter(folder: Path, base: Path, seed: int = 1) -> Path:
    """A LoRA adapter of random weights for the decoder in `base`, strong enough to change what it says."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    network = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, local_files_only=True)
    # peft asks transformers by an old name.
    with warnings.catch_warnings(action="ignore", category=FutureWarning):
        adapted = get_peft_model(network, LoraConfig(r=4, lora_alpha=32, target_modules=["q_proj", "v_proj", "o_proj"]))
    torch.manual_seed(seed)
    for name, weights in adapted.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(weights)
    adapted.save_pretrained(str(folder), safe_serialization=True)
    return folder


def _words(texts: Sequence[str]) -> list[str]:
    return sorted({word for text in texts for word in text.split()})
