"""From texts to token ids as one encoder wants them: prefix, marks, window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tokenizers import Tokenizer

from rapport.models.folder import Embedding, embedding
from rapport.models.ports import Role
from rapport.ops.errors import ModelError

# No vocabulary has longer pieces on average: what lies behind this many characters a token cannot reach the window.
_CHARACTERS_A_TOKEN = 64


class TextIds:
    """The tokenizer of a model folder. Safe to use on another thread than the model."""

    def __init__(self, folder: Path, prefixes: Mapping[Role, str] | None) -> None:
        """Raises `ModelError` when the folder has no tokenizer, or pools in a way that Rapport does not know."""
        self.embedding: Embedding = embedding(folder, prefixes)
        file = folder / "tokenizer.json"
        if not file.is_file():
            raise ModelError(f"no tokenizer in {folder}: looked for tokenizer.json")
        self._tokenizer = Tokenizer.from_file(str(file))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(self.embedding.window)

    def __call__(self, texts: Sequence[str], role: Role) -> list[list[int]]:
        """Ids of each text with its role's prefix and the model's marks, cut to the window. Never empty lists."""
        prefix, most = self.embedding.prefixes.get(role, ""), self.embedding.window * _CHARACTERS_A_TOKEN
        encodings = self._tokenizer.encode_batch_fast([prefix + text[:most] for text in texts])
        return [encoding.ids for encoding in encodings]
