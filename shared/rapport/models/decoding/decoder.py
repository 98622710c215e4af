"""Many texts through one network: prompts are read a stretch at a time, then all texts say one token a pass."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import torch

from rapport.models.decoding.network import Network
from rapport.models.decoding.prefixes import Prefixes
from rapport.models.decoding.rows import GRAIN, RowCache, bytes_a_token, rows_within
from rapport.models.decoding.text import TorchText
from rapport.models.ports import ModelId
from rapport.models.text_ports import Constraint, Sampling, Step
from rapport.ops.errors import InvalidRequest, ModelError, NotFound, RapportError

# Tokens of prompts read in one step, at most: what else waits for the device (other texts' next tokens, embeddings)
# waits no longer than this takes.
_PROMPT_STRETCH = 256
# A stretch that ends a prompt is filled up to a multiple of it: four shapes instead of 64.
_FILL = 16


class TorchDecoder:
    """Chat to text with the model's own template. See `Decoder` for what runs on which thread."""

    def __init__(
        self,
        folder: Path,
        name: str,
        *,
        context: int,
        device: str = "auto",
        threads: int = 0,
        slots: int = 16,
        cache_mb: int = 1024,
        prefix_mb: int = 64,
        adapters: Mapping[str, Path] | None = None,
    ) -> None:
        """Loads; takes a second or two for a small model. `context`: most tokens of prompt and answer together, where
        the model itself could take more. `cache_mb` bounds the texts under way, `prefix_mb` shared beginnings.

        Raises `ModelError` when the folder holds no language model with a template, or one whose layers remember
        otherwise than by keys and values of all tokens; `ConfigurationError` when the memory holds not one text.
        """
        self.network = Network(folder, name, device, threads, adapters or {})
        config, dtype = self.network.config, self.network.dtype
        self.context: int = min(context, config.max_position_embeddings)
        self.slots: int = rows_within(cache_mb, slots, self.context, bytes_a_token(config, dtype))
        self._capacity = -(-self.context // GRAIN) * GRAIN
        self._cache = self._new_cache()
        self._prefixes = Prefixes(prefix_mb)
        self._texts: list[TorchText] = []
        """By row."""

    @property
    def model(self) -> ModelId:
        return self.network.model

    @property
    def adapters(self) -> Collection[str]:
        return self.network.adapters

    def prompt(self, turns: Sequence[tuple[str, str]]) -> list[int]:
        """Ids of the chat (role, content), up to where the answer begins."""
        return self.network.prompt(turns)

    def begin(
        self, prompt: Sequence[int], sampling: Sampling, constraint: Constraint | None = None, adapter: str = ""
    ) -> TorchText:
        """A text to be decoded from `prompt`."""
        if not prompt or len(prompt) >= self.context:
            raise InvalidRequest(f"{len(prompt)} tokens, of at most {self.context - 1}", field="messages")
        if not all(0 <= token < self.network.vocabulary for token in prompt):
            raise InvalidRequest("holds a token that the model does not have", field="messages")
        if adapter and adapter not in self.adapters:
            known = ", ".join(self.adapters) or "there is none"
            raise NotFound(f"no adapter {adapter[:100]!r} here", field="adapter", fix=f"known: {known}")
        matcher = self.network.grammar.rule(constraint) if constraint else None
        return TorchText(prompt, sampling, matcher, adapter)

    def end(self, text: TorchText) -> None:
        """Only a mark: the device's thread takes the row back when it comes by."""
        text.over = True

    def rebuild(self) -> None:
        """A pass that broke off may have left half of its keys; shared beginnings could hold them too."""
        for text in self._texts:
            text.lose_row()
        self._texts.clear()
        self._prefixes.clear()
        self._cache = self._new_cache()

    @torch.inference_mode()
    def step(self, texts: Sequence[TorchText]) -> list[Step | RapportError]:
        """Reads what of the prompts fits into one stretch, then lets all that are through say a token."""
        self._settle(texts)
        told: dict[int, Step | RapportError] = {id(text): Step("", 0, ended=False) for text in texts}
        speaking = [text for text in texts if not text.listening]
        room = _PROMPT_STRETCH
        for text in texts:
            while room > 0 and text.listening:
                start = text.read
                scores = self._read(text)
                room -= text.read - start
                if not text.recalling:
                    told |= self._say([text], scores)
        for adapter in dict.fromkeys(text.adapter for text in speaking):
            group = [text for text in speaking if text.adapter == adapter]
            scores = self._pass(group, adapter)
            through = [at for at, text in enumerate(group) if not text.recalling]
            told |= self._say([group[at] for at in through], scores[through])
        return [told[id(text)] for text in texts]

    def _settle(self, texts: Sequence[TorchText]) -> None:
        """Rows of texts that are over go to the last ones in line, so that the rows in use stay close; then the new
        texts get theirs.
        """
        for row in range(len(self._texts) - 1, -1, -1):
            if not self._texts[row].over:
                continue
            last = self._texts.pop()
            if row < len(self._texts):
                self._cache.move(len(self._texts), row, last.read)
                self._texts[row], last.row = last, row
        for text in texts:
            if text.row is None:
                if len(self._texts) == self.slots:
                    raise ModelError(f"more than {self.slots} texts under way")
                text.row = len(self._texts)
                self._texts.append(text)
                self._reuse(text)

    def _reuse(self, text: TorchText) -> None:
        assert text.row is not None
        for block in self._prefixes.find(text.adapter, text.prompt):
            self._cache.paste(block, text.row, text.read)
            text.read += GRAIN
        text.reused_tokens = text.reused_tokens or text.read

    def _read(self, text: TorchText) -> torch.Tensor:
        """Reads the prompt up to the next multiple of `GRAIN`, or its end. Scores [1, vocabulary], worth something at
        the end only.
        """
        assert text.row is not None
        prompt, start = text.prompt, text.read
        stop = min(len(prompt), (start // GRAIN + 1) * GRAIN)
        filled = start + -(-(stop - start) // _FILL) * _FILL
        tokens = torch.zeros(1, filled - start, dtype=torch.long)
        tokens[0, : stop - start] = torch.tensor(prompt[start:stop])
        positions = torch.arange(start, filled)[None]
        # What fills up is written behind the prompt, where the answer will overwrite it before anything looks there.
        length = -(-filled // GRAIN) * GRAIN
        seen = torch.arange(length)[None] <= positions[0, :, None]
        self._cache.read_prompt(text.row, start, filled, length)
        scores = self.network.scores(
            tokens, positions, seen[None, None], self._cache, text.adapter, column=stop - start - 1
        )
        text.read = stop
        if stop % GRAIN == 0 and self._prefixes.wanted(text.adapter, prompt[:stop]):
            self._prefixes.keep(text.adapter, prompt[:stop], self._cache.copied(text.row, stop - GRAIN, stop))
        return scores

    def _pass(self, group: Sequence[TorchText], adapter: str) -> torch.Tensor:
        """Reads the next said token of each text of `group`: scores [group, vocabulary]."""
        rows = [text.row for text in group if text.row is not None]
        count = max(rows) + 1
        tokens = torch.zeros(count, 1, dtype=torch.long)
        # Rows in between that do not speak now are computed along; what they write is overwritten by their next read.
        positions = torch.tensor([[min(text.read, self._capacity - 1)] for text in self._texts[:count]])
        for row, text in zip(rows, group, strict=True):
            tokens[row] = text.tokens[text.read]
        length = -(-(max(text.read for text in group) + 1) // GRAIN) * GRAIN
        seen = torch.arange(length) <= positions
        self._cache.read_tokens(positions[:, 0], length)
        scores = self.network.scores(tokens, positions, seen[:, None, None], self._cache, adapter, column=0)
        for text in group:
            text.read += 1
        return scores[rows]

    def _say(self, texts: Sequence[TorchText], scores: torch.Tensor) -> dict[int, Step | RapportError]:
        """A token of each text, by `scores` [texts, vocabulary]."""
        likeliest = scores.argmax(dim=-1).tolist() if texts else []
        told: dict[int, Step | RapportError] = {}
        for text, row, likely in zip(texts, scores, likeliest, strict=True):
            try:
                if text.matcher is not None:
                    self.network.grammar.apply(text.matcher, row)
                plain = text.sampler.greedy and text.matcher is None
                token = likely if plain and row[likely].isfinite() else text.sampler.choose(row)
                told[id(text)] = self._said(text, token)
            except RapportError as error:
                told[id(text)] = error
        return told

    def _said(self, text: TorchText, token: int) -> Step:
        text.tokens.append(token)
        if token in self.network.ends:
            return Step("", 1, ended=True)
        ended = False
        if text.matcher is not None:
            if not text.matcher.consume_token(token):
                raise ModelError(f"the constraint leads nowhere: {text.matcher.get_error()}")
            ended = text.matcher.is_stopped()
        return Step(text.letters.step(self.network.tokens, token) or "", 1, ended=ended)

    def _new_cache(self) -> RowCache:
        network = self.network
        return RowCache(network.config, self.slots, self._capacity, network.dtype, network.device)
