"""LoRA on the copywriter's language model (Hu et al. 2021): small matrices beside the attention, the model as it is."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.content.training.dataset import Example

# Tokens of a prompt with its answer; longer examples lose the beginning of the prompt.
_LONGEST = 512


@dataclass(frozen=True, slots=True)
class Plan:
    """`rank`: of the added matrices. `rate`: the highest learning rate, reached after a tenth of the steps."""

    rank: int = 8
    rate: float = 3e-4
    epochs: float = 2.0
    batch: int = 4
    seed: int = 7


@dataclass(slots=True)
class Learner:
    """A base model with its tokenizer; `adapted` once it has learned."""

    model: Any
    tokenizer: Any
    adapted: bool = False

    @classmethod
    def load(cls, folder: Path) -> Learner:
        """From a prepared model's folder (safetensors)."""
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(folder)
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        return cls(model, tokenizer)

    def fit(self, examples: Sequence[Example], plan: Plan, told: Callable[[int, int, float], None]) -> None:
        """Learns the answers, not the prompts. `told`: step, steps, loss."""
        import torch
        from peft import LoraConfig, get_peft_model

        torch.manual_seed(plan.seed)
        config = LoraConfig(
            r=plan.rank, lora_alpha=2 * plan.rank, lora_dropout=0.05, task_type="CAUSAL_LM",
            target_modules=["q_proj", "k_proj", "v_proj", "o_proj"],
        )  # fmt: skip
        self.model = get_peft_model(self.model, config)
        self.adapted = True
        self.model.train()
        steps = max(1, round(len(examples) * plan.epochs / plan.batch))
        weights = [weight for weight in self.model.parameters() if weight.requires_grad]
        optimiser = torch.optim.AdamW(weights, lr=plan.rate)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, plan.rate, total_steps=steps, pct_start=0.1)
        chance = random.Random(plan.seed)
        order: list[Example] = []
        for step in range(steps):
            if len(order) < plan.batch:
                order += chance.sample(list(examples), len(examples))
            batch, order = order[: plan.batch], order[plan.batch :]
            loss = self._loss(batch)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad()
            told(step + 1, steps, float(loss.detach()))
        self.model.eval()

    def perplexity(self, examples: Sequence[Example], *, adapter: bool = True) -> float:
        """Of the answers, given their prompts. `adapter` False: the base model's."""
        import torch

        self.model.eval()
        total, tokens = 0.0, 0
        with torch.no_grad(), self._maybe_plain(adapter):
            for example in examples:
                ids, start = self._ids(example)
                loss = self.model(input_ids=ids, labels=_masked(ids, start)).loss
                count = ids.shape[1] - start
                total, tokens = total + float(loss) * count, tokens + count
        return math.exp(total / max(1, tokens))

    def answer(self, turns: Sequence[tuple[str, str]], *, adapter: bool = True, most: int = 72) -> str:
        """The likeliest answer."""
        import torch

        ids = self._prompt(turns)
        with torch.no_grad(), self._maybe_plain(adapter):
            made = self.model.generate(
                input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=most, do_sample=False,
                pad_token_id=self.tokenizer.eos_token_id,
            )  # fmt: skip
        return str(self.tokenizer.decode(made[0, ids.shape[1] :], skip_special_tokens=True))

    def save(self, folder: Path) -> None:
        """The adapter alone, as peft and the workers read it."""
        self.model.save_pretrained(folder, safe_serialization=True)

    def _maybe_plain(self, adapter: bool) -> Any:
        import contextlib

        return contextlib.nullcontext() if adapter or not self.adapted else self.model.disable_adapter()

    def _loss(self, batch: Sequence[Example]) -> Any:
        """Mean over the batch's answers. One by one: padding would cost more than it saves at these sizes."""
        losses = []
        for example in batch:
            ids, start = self._ids(example)
            losses.append(self.model(input_ids=ids, labels=_masked(ids, start)).loss)
        return sum(losses) / len(losses)

    def _ids(self, example: Example) -> tuple[Any, int]:
        import torch

        asked = self._prompt(example.turns)
        answer = self.tokenizer(example.answer + self.tokenizer.eos_token, return_tensors="pt").input_ids
        ids = torch.cat([asked, answer], dim=1)[:, -_LONGEST:]
        return ids, ids.shape[1] - answer.shape[1]

    def _prompt(self, turns: Sequence[tuple[str, str]]) -> Any:
        messages = [{"role": role, "content": text} for role, text in turns]
        text = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        return self.tokenizer(text, return_tensors="pt", add_special_tokens=False).input_ids


def _masked(ids: Any, start: int) -> Any:
    labels = ids.clone()
    labels[:, :start] = -100  # what the loss leaves out: the prompt
    return labels
