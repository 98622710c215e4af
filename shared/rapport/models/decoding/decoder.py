"""Many texts through one network: prompts are read a stretch at a time, then all texts say one token a pass."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import torch

from rapport.models.decoding.network import Network
from rapport.models.decoding.prefixes import Prefixes
from rapport.models.decoding.rows import GRAIN, RowCache, bytes_a_token, rows_within
from rapport.models.decoding.stretches import Stretch, first_in_line, together
from rapport.models.decoding.text import TorchText
from rapport.models.ports import ModelId
from rapport.models.text_ports import Constraint, Sampling, Step
from rapport.ops.errors import InvalidRequest, ModelError, NotFound, RapportError

# Tokens of prompts read in one step, at most: what else waits for the device (other texts' next tokens, embeddings)
# waits no longer than this takes.
_PROMPT_TOKENS = 256


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
        """Reads as much of the prompts as fits into one step, then lets all that were through say a token."""
        self._settle(texts)
        told: dict[int, Step | RapportError] = {id(text): Step("", 0, ended=False) for text in texts}
        speaking = [text for text in texts if not text.listening]
        told |= self._listen(texts)
        for adapter in dict.fromkeys(text.adapter for text in speaking):
            group = [text for text in speaking if text.adapter == adapter]
            scores = self._pass(group, adapter)
            through = [at for at, text in enumerate(group) if not text.recalling]
            told |= self._say([group[at] for at in through], scores[through])
        return [told[id(text)] for text in texts]

    def _listen(self, texts: Sequence[TorchText]) -> dict[int, Step | RapportError]:
        """Reads prompts, first come, first served; what those that are through say first."""
        told: dict[int, Step | RapportError] = {}
        for text in texts:
            self._reuse(text)
        readers, room = first_in_line(texts, _PROMPT_TOKENS), _PROMPT_TOKENS
        while readers and room > 0:
            for group in together(readers):
                scores = self._read(group)
                room -= sum(stretch.stop - stretch.start for stretch in group)
                through = [at for at, stretch in enumerate(group) if not stretch.text.recalling]
                told |= self._say([group[at].text for at in through], scores[through])
            readers = [text for text in readers if text.listening]
        return told

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

    def _reuse(self, text: TorchText) -> None:
        """Only now that it may be its turn: what was read meanwhile for others may begin as it does."""
        if text.read:
            return
        assert text.row is not None
        for block in self._prefixes.find(text.adapter, text.prompt):
            self._cache.paste(block, text.row, text.read)
            text.read += GRAIN
        text.reused_tokens = text.reused_tokens or text.read

    def _read(self, group: Sequence[Stretch]) -> torch.Tensor:
        """Reads stretches of one width: scores [group, vocabulary], worth something where they end a prompt."""
        starts = torch.tensor([stretch.start for stretch in group])
        tokens = torch.zeros(len(group), group[0].width, dtype=torch.long)
        for row, stretch in zip(tokens, group, strict=True):
            said = stretch.text.prompt[stretch.start : stretch.stop]
            row[: len(said)] = torch.tensor(said)
        # What fills up is written behind the prompt, where the answer will overwrite it before anything looks there.
        positions = starts[:, None] + torch.arange(group[0].width)
        last = torch.tensor([stretch.stop - stretch.start - 1 for stretch in group])
        rows = [stretch.text.row for stretch in group if stretch.text.row is not None]
        scores = self._scores(rows, tokens, positions, last, group[0].text.adapter, int(positions.max()) + 1)
        for stretch in group:
            stretch.text.read = stretch.stop
            self._remember(stretch)
        return scores

    def _remember(self, stretch: Stretch) -> None:
        """Keeps the block that `stretch` completed, if others begin as this text does."""
        text, beginning = stretch.text, stretch.text.prompt[: stretch.stop]
        if stretch.stop % GRAIN == 0 and self._prefixes.wanted(text.adapter, beginning):
            assert text.row is not None
            self._prefixes.keep(
                text.adapter, beginning, self._cache.copied(text.row, stretch.stop - GRAIN, stretch.stop)
            )

    def _pass(self, group: Sequence[TorchText], adapter: str) -> torch.Tensor:
        """Reads the next said token of each text of `group`: scores [group, vocabulary]."""
        rows = [text.row for text in group if text.row is not None]
        count = max(rows) + 1
        tokens = torch.zeros(count, 1, dtype=torch.long)
        # Rows in between that do not speak now are computed along; what they write is overwritten by their next read.
        positions = torch.tensor([[min(text.read, self._capacity - 1)] for text in self._texts[:count]])
        for row, text in zip(rows, group, strict=True):
            tokens[row] = text.tokens[text.read]
        # Of the others' keys only what the longest of the group has is looked at.
        seen = max(text.read for text in group) + 1
        scores = self._scores(range(count), tokens, positions, torch.zeros(count, dtype=torch.long), adapter, seen)
        for text in group:
            text.read += 1
        return scores[rows]

    def _scores(
        self,
        rows: Sequence[int],
        tokens: torch.Tensor,
        positions: torch.Tensor,
        columns: torch.Tensor,
        adapter: str,
        most: int,
    ) -> torch.Tensor:
        """One pass over `tokens` at `positions`, both [rows, columns]: scores [rows, vocabulary]. No token looks
        further than `most` tokens.
        """
        length = -(-most // GRAIN) * GRAIN
        self._cache.expect(rows, positions, length)
        seen = torch.arange(length) <= positions[:, :, None]
        return self.network.scores(tokens, positions, seen[:, None], self._cache, adapter, columns)

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
