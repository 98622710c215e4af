"""The network, its tokenizer and its adapters, as loaded from a folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from jinja2 import TemplateError
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer

from rapport.models.decoding.adapters import AdapterSwitch
from rapport.models.decoding.constraint import Grammar
from rapport.models.decoding.packed import can_pack, pack
from rapport.models.decoding.rows import RowCache
from rapport.models.folder import identify
from rapport.models.ports import ModelId
from rapport.models.quiet import quiet
from rapport.models.torch_device import choose_device, compute_dtype, set_threads
from rapport.ops.errors import InvalidRequest, ModelError


class Network:
    """Token ids and where they stand, to scores."""

    def __init__(self, folder: Path, name: str, device: str, threads: int, adapters: Mapping[str, Path]) -> None:
        """Raises as `TorchDecoder` does."""
        set_threads(threads)
        self.device = choose_device(device)
        self.dtype = compute_dtype(self.device)
        try:
            with quiet():
                loaded: Any = AutoModelForCausalLM.from_pretrained(
                    folder, dtype=self.dtype, use_safetensors=True, local_files_only=True, attn_implementation="sdpa"
                )
                self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise ModelError(f"{folder} cannot be loaded as a language model: {error}") from error
        if not self._tokenizer.chat_template:
            raise ModelError(f"{folder} has no chat template: it is not tuned to follow instructions")
        self._network: Any = loaded.to(self.device).eval()
        self.config: Any = loaded.config.get_text_config()
        _check_layers(folder, self.config)
        self._switch = AdapterSwitch(self._network, adapters, self.dtype)
        if can_pack(self.device, self.dtype):
            pack(self._network)
        self._columns = torch.empty(0)
        self._network.get_output_embeddings().register_forward_pre_hook(self._wanted_only)
        self.tokens: Any = self._tokenizer.backend_tokenizer
        self.model: ModelId = identify(folder, name)
        self.vocabulary: int = self.config.vocab_size
        self.ends: frozenset[int] = self._end_tokens()
        self._marks: list[str] = [
            token.content for token in self._tokenizer.added_tokens_decoder.values() if token.special
        ]

    @property
    def adapters(self) -> tuple[str, ...]:
        return self._switch.names

    @cached_property
    def grammar(self) -> Grammar:
        """Made when the first constraint comes: most workers never see one."""
        return Grammar(self._tokenizer, self.vocabulary, self.ends)

    def prompt(self, turns: Sequence[tuple[str, str]]) -> list[int]:
        """Ids of the chat, up to where the answer begins."""
        chat = [{"role": role, "content": self._harmless(content)} for role, content in turns]
        try:
            text = self._tokenizer.apply_chat_template(
                chat,
                tokenize=False,
                add_generation_prompt=True,
                enable_thinking=False,  # templates without such a switch ignore it
            )
        except TemplateError as error:
            raise InvalidRequest(f"the model's chat template refuses them: {error}", field="messages") from error
        return list(self.tokens.encode(text, add_special_tokens=False).ids)

    def scores(
        self,
        tokens: torch.Tensor,
        positions: torch.Tensor,
        seen: torch.Tensor,
        cache: RowCache,
        adapter: str,
        columns: torch.Tensor,
    ) -> torch.Tensor:
        """float32 [rows, vocabulary] of what follows the token in its one of `columns` [rows], of `tokens`
        [rows, columns].

        `seen` [rows, 1, columns, length]: which of the cache's tokens each token may look at.
        """
        self._switch.to(adapter)
        self._columns = columns.to(self.device)
        blocked = torch.zeros(seen.shape, dtype=self.dtype).masked_fill(~seen, torch.finfo(self.dtype).min)
        scores: torch.Tensor = self._network(
            input_ids=tokens.to(self.device),
            position_ids=positions.clamp(max=self.config.max_position_embeddings - 1).to(self.device),
            attention_mask=blocked.to(self.device),
            past_key_values=cache,
            use_cache=True,
        ).logits
        return scores[:, 0].float()

    def _wanted_only(self, _head: Any, given: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
        """In front of the scores of the whole vocabulary, a fifth of a small model's work: one token of each row."""
        hidden = given[0]
        return (hidden[torch.arange(len(hidden), device=hidden.device), self._columns][:, None],)

    def _harmless(self, content: str) -> str:
        """`content` without marks that the template itself uses: nobody may begin a turn of the system's inside his
        own.
        """
        for mark in self._marks:
            content = content.replace(mark, f"{mark[0]} {mark[1:]}")
        return content

    def _end_tokens(self) -> frozenset[int]:
        named = [self._tokenizer.eos_token_id, self._network.generation_config.eos_token_id]
        ids = [one for name in named for one in (name if isinstance(name, list) else [name])]
        return frozenset(int(one) for one in ids if one is not None)


def _check_layers(folder: Path, config: Any) -> None:
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    if kinds != {"full_attention"} or getattr(config, "kv_lora_rank", None):
        others = ", ".join(sorted(kinds - {"full_attention"})) or "latent attention"
        raise ModelError(
            f"{folder} has layers of another kind than full attention ({others})",
            fix="serve it by vLLM or another OpenAI-compatible server, and set RAPPORT_MODELS__GENERATOR_URL",
        )
