"""What our generation is measured beside: transformers' `generate`, its continuous batching, and llama.cpp."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from transformers import AutoModelForCausalLM, AutoTokenizer, ContinuousBatchingConfig, GenerationConfig

from rapport.models.sets import chosen
from rapport.models.sources import locate
from rapport.models.torch_device import choose_device, compute_dtype
from rapport.ops.settings import Settings
from tests.bench.figures import Row
from tests.bench.serving.llama_cpp_peer import LlamaCpp

SYSTEM = (
    "You write short lines for an online shop. Be friendly, say what the product is good for, and name it. "
    "Never invent a price, a discount or a date, and never promise what the shop has not promised."
)
GOODS = (
    "hiking boots", "a kettle", "a red dress", "headphones", "green tea", "a puzzle", "a winter jacket", "a yoga mat",
    "a lamp", "a backpack", "a teapot", "running shoes", "a blender", "a watch", "a scarf", "a notebook",
)  # fmt: skip
Chat = list[tuple[str, str]]
Clock = Callable[[], float]


def chat(number: int) -> Chat:
    return [("system", SYSTEM), ("user", f"Write two sentences that recommend {GOODS[number % len(GOODS)]}.")]


class Plain:
    """transformers' own `generate`, as its documentation shows it."""

    def __init__(self, settings: Settings) -> None:
        folder = locate(chosen(settings.models).generator, settings.models.cache)
        device = choose_device("auto")
        models: Any = AutoModelForCausalLM  # untyped
        tokenizers: Any = AutoTokenizer
        self.tokenizer: Any = tokenizers.from_pretrained(folder, padding_side="left")
        self.network: Any = models.from_pretrained(folder, dtype=compute_dtype(device)).to(device).eval()
        self.tokenizer.pad_token = self.tokenizer.pad_token or self.tokenizer.eos_token

    def ids(self, chat: Chat) -> list[int]:
        turns = [{"role": role, "content": content} for role, content in chat]
        return list(self.tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=False))

    def write(self, chats: list[Chat], tokens: int) -> int:
        """Tokens made."""
        turns = [[{"role": role, "content": content} for role, content in chat] for chat in chats]
        asked = self.tokenizer.apply_chat_template(
            turns, add_generation_prompt=True, padding=True, return_tensors="pt", return_dict=True
        )
        made = self.network.generate(**asked, max_new_tokens=tokens, min_new_tokens=tokens, do_sample=False)
        return int((made.shape[1] - asked["input_ids"].shape[1]) * made.shape[0])


def plain_rows(plain: Plain, callers: int, tokens: int, clock: Clock) -> list[Row]:
    """`generate` one after another, and all of a round in one batch."""
    rows: list[Row] = []
    for name, size, texts in (("sequential", 1, 4), ("static batch", callers, callers * 2)):
        began = clock()
        made = sum(plain.write([chat(start + at) for at in range(size)], tokens) for start in range(0, texts, size))
        rows.append({"callers": callers, "who": name, "tokens/s": made / (clock() - began)})
    return rows


def llama_rows(llama: LlamaCpp, plain: Plain, callers: int, tokens: int, clock: Clock) -> list[Row]:
    """The same chats in llama.cpp's one batch, twice."""
    rounds = [[plain.ids(chat(start + at)) for at in range(callers)] for start in (0, callers)]
    began = clock()
    made = sum(llama.write(prompts, tokens) for prompts in rounds)
    return [{"callers": callers, "who": "llama.cpp, 4 bit", "tokens/s": made / (clock() - began)}]


def continuous_rows(plain: Plain, callers: Sequence[int], tokens: int, clock: Clock) -> list[Row]:
    """transformers' own continuous batching, with pages of 32 tokens."""
    configs: Any = GenerationConfig  # untyped
    config = configs(max_new_tokens=tokens, do_sample=False, eos_token_id=-1, pad_token_id=0)
    pages = ContinuousBatchingConfig(page_size=32, num_blocks=256, max_batch_tokens=512)
    manager = plain.network.init_continuous_batching(generation_config=config, continuous_batching_config=pages)
    manager.start()
    rows: list[Row] = []
    for count in callers:
        asked = [plain.ids(chat(number)) for number in range(count * 2)]
        began, left = clock(), len(asked)
        manager.add_requests(asked, max_new_tokens=tokens)
        while left:
            result = manager.get_result(timeout=1)
            left -= bool(result and result.is_finished())
        rate = len(asked) * tokens / (clock() - began)
        rows.append({"callers": count, "who": "transformers CB", "tokens/s": rate})
    manager.stop(block=True)
    return rows
