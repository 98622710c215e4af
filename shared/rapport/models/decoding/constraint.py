"""Text that matches a JSON schema or a regular expression: llguidance says which tokens may come next."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from llguidance import LLMatcher, LLTokenizer
from llguidance.hf import from_tokenizer

from rapport.models.text_ports import Constraint
from rapport.ops.errors import InvalidRequest, ModelError

# Characters of a rule. Schemas written by people have a few thousand; far larger ones take seconds to compile.
_LONGEST_RULE = 64_000
# Without it a small model can go on with blanks between two words of JSON until its tokens are used up.
_COMPACT: Any = {"whitespace_flexible": False}


class Grammar:
    """A model's vocabulary as llguidance wants it; takes half a second to make, once a model."""

    def __init__(self, tokenizer: Any, vocabulary: int, ends: frozenset[int]) -> None:
        self._tokenizer: LLTokenizer = from_tokenizer(tokenizer, n_vocab=vocabulary, eos_token=sorted(ends))

    def rule(self, constraint: Constraint) -> LLMatcher:
        """What follows one text. Raises `InvalidRequest` naming the field when the rule is malformed or too large."""
        if len(constraint.rule) > _LONGEST_RULE:
            raise InvalidRequest(
                f"{len(constraint.rule)} characters", field=constraint.kind, fix=f"at most {_LONGEST_RULE}"
            )
        try:
            grammar = (
                LLMatcher.grammar_from_json_schema(constraint.rule, defaults=_COMPACT)
                if constraint.kind == "json_schema"
                else LLMatcher.grammar_from_regex(constraint.rule)
            )
        except ValueError as error:
            raise InvalidRequest(str(error), field=constraint.kind) from error
        matcher = LLMatcher(self._tokenizer, grammar, log_level=0)
        if matcher.is_error():
            raise InvalidRequest(matcher.get_error(), field=constraint.kind)
        return matcher

    def apply(self, matcher: LLMatcher, scores: torch.Tensor) -> None:
        """Forbids in `scores` [vocabulary] what may not come next. Raises `ModelError` when the rule leads nowhere."""
        # llguidance's own functions for torch would bring in torch's compiler: seconds of every start.
        mask = np.frombuffer(matcher.compute_bitmask(), dtype=np.uint8)
        if matcher.is_error():
            raise ModelError(f"the constraint leads nowhere: {matcher.get_error()}")
        forbidden = torch.from_numpy(np.unpackbits(mask, count=len(scores), bitorder="little") == 0)
        scores.masked_fill_(forbidden.to(scores.device), -torch.inf)
