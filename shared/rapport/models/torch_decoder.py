"""A language model run by torch and transformers, token by token, each text with its own cache."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from jinja2 import TemplateError
from tokenizers.decoders import DecodeStream
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache

from rapport.models.folder import identify
from rapport.models.ports import ModelId, Sampling, Step
from rapport.models.quiet import quiet
from rapport.models.torch_device import choose_device, compute_dtype, set_threads
from rapport.ops.errors import InvalidRequest, ModelError

# Tokens of the prompt read in one step, at most: what else waits for the device (other texts, embeddings) waits no
# longer than this takes. Shorter rests are read as a multiple of the second number and then the remainder, since a CPU
# keeps compiled code and buffers for every length that it meets: 38 lengths instead of 256.
_PROMPT_STRETCH, _PROMPT_GRAIN = 256, 32
# Below it the scores, divided by the temperature, leave the range of numbers; the likeliest token wins anyway.
_COLDEST = 1e-3
# Texts under way at once. Each holds its cache and all share the device, so more would only slow each other down.
_SLOTS = 4


class TorchDecoder:
    """Chat to text with the model's own template."""

    def __init__(self, folder: Path, name: str, context: int, device: str, threads: int) -> None:
        """Loads; takes a second or two for a small model. `context`: most tokens of prompt and answer together, where
        the model itself could take more. Raises `ModelError` when the folder holds no language model with a template.
        """
        set_threads(threads)
        self.device = choose_device(device)
        try:
            with quiet():
                network: Any = AutoModelForCausalLM.from_pretrained(
                    folder, dtype=compute_dtype(self.device), use_safetensors=True, local_files_only=True
                )
                self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ModelError(f"{folder} cannot be loaded as a language model: {error}") from error
        if not self._tokenizer.chat_template:
            raise ModelError(f"{folder} has no chat template: it is not tuned to follow instructions")
        self.network: Any = network.to(self.device).eval()
        self.tokens: Any = self._tokenizer.backend_tokenizer
        self.model: ModelId = identify(folder, name)
        self.context: int = min(context, self.network.config.max_position_embeddings)
        self.slots: int = _SLOTS
        self.ends: frozenset[int] = self._end_tokens()

    def prompt(self, turns: Sequence[tuple[str, str]]) -> list[int]:
        """Ids of the chat (role, content), up to where the answer begins."""
        chat = [{"role": role, "content": content} for role, content in turns]
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

    def begin(self, prompt: Sequence[int], sampling: Sampling) -> TorchDecoding:
        """A text to be decoded from `prompt`."""
        return TorchDecoding(self, prompt, sampling)

    def _end_tokens(self) -> frozenset[int]:
        named = [self._tokenizer.eos_token_id, self.network.generation_config.eos_token_id]
        ids = [one for name in named for one in (name if isinstance(name, list) else [name])]
        return frozenset(int(one) for one in ids if one is not None)


class TorchDecoding:
    """One text under way: its cache, its dice, its half-finished characters."""

    def __init__(self, decoder: TorchDecoder, prompt: Sequence[int], sampling: Sampling) -> None:
        self._decoder, self._sampling = decoder, sampling
        self._unread = list(prompt)
        self._cache = DynamicCache()
        self._letters = DecodeStream(skip_special_tokens=True)
        self._dice = torch.Generator(decoder.device)
        if sampling.seed is None:
            self._dice.seed()
        else:
            self._dice.manual_seed(sampling.seed)

    def step(self) -> Step:
        """Reads a stretch of the prompt; from its end on, makes one token."""
        cut = _stretch(len(self._unread))
        stretch, self._unread = self._unread[:cut], self._unread[cut:]
        with torch.inference_mode():
            scores = self._decoder.network(
                input_ids=torch.tensor([stretch], device=self._decoder.device),
                past_key_values=self._cache,
                use_cache=True,
                logits_to_keep=1,
            ).logits[0, -1]
            if self._unread:
                return Step("", 0, ended=False)
            token = _choose(scores.float(), self._sampling, self._dice)
        self._unread = [token]
        if token in self._decoder.ends:
            return Step("", 1, ended=True)
        return Step(self._letters.step(self._decoder.tokens, token) or "", 1, ended=False)


def _stretch(left: int) -> int:
    """How many of `left` tokens to read next."""
    if left >= _PROMPT_STRETCH:
        return _PROMPT_STRETCH
    return left // _PROMPT_GRAIN * _PROMPT_GRAIN or left


def _choose(scores: torch.Tensor, sampling: Sampling, dice: torch.Generator) -> int:
    """The likeliest token, or one drawn from the nucleus: the fewest tokens whose probabilities reach `top_p`."""
    if sampling.temperature < _COLDEST:
        return int(scores.argmax())
    chances, tokens = torch.softmax(scores / sampling.temperature, dim=-1).sort(descending=True)
    # A token belongs to the nucleus while those before it have not reached the mass: the first always does.
    outside = chances.cumsum(dim=-1) - chances >= sampling.top_p
    drawn = torch.multinomial(chances.masked_fill(outside, 0.0), 1, generator=dice)
    return int(tokens[drawn])
