"""BERT's tokenizer, read from the folder of an encoder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..files.text import read_json
from ..outcome import CheckpointError, DependencyError


class BertWords:
    """Texts become numbers of tokens, with the start mark before and the end mark after them.

    Args:
        tokenizer: of the tokenizers library.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    def count(self, text: str) -> int:
        """Return how many tokens a text has, the two marks included."""
        return len(self._tokenizer.encode(text).ids)

    def __call__(self, texts: Sequence[str], max_length: int) -> tuple[Tensor, Tensor]:
        """Return token numbers (P, L) and a mask (P, L), True on tokens.

        Args:
            texts: P of them.
            max_length: most tokens of each; the end of a longer text is cut off before the mark.
        """
        self._tokenizer.enable_truncation(max_length)
        try:
            rows = [found.ids for found in self._tokenizer.encode_batch(list(texts))]
        finally:
            self._tokenizer.no_truncation()
        ids = torch.zeros(len(rows), max(map(len, rows), default=1), dtype=torch.long)
        mask = torch.zeros(ids.shape, dtype=torch.bool)
        for row, numbers in enumerate(rows):
            ids[row, : len(numbers)] = torch.tensor(numbers)
            mask[row, : len(numbers)] = True
        return ids, mask


def load_words(folder: Path) -> BertWords:
    """Return the tokenizer beside an encoder's weights: ``tokenizer.json``, or ``vocab.txt``.

    Raises:
        CheckpointError: when there is none, or it cannot be read.
        DependencyError: when the tokenizers library is not installed.
    """
    try:
        from tokenizers import BertWordPieceTokenizer, Tokenizer
    except ImportError as error:
        raise DependencyError(
            "The Python package tokenizers is missing; install it (pip install tokenizers)."
        ) from error
    whole, plain = folder / "tokenizer.json", folder / "vocab.txt"
    if not whole.is_file() and not plain.is_file():
        raise CheckpointError(
            f"'{folder}' holds no tokenizer; put the encoder's tokenizer.json or vocab.txt there."
        )
    try:
        if whole.is_file():
            return BertWords(Tokenizer.from_file(str(whole)))
        settings = folder / "tokenizer_config.json"
        told = read_json(settings) if settings.is_file() else {}
        return BertWords(
            BertWordPieceTokenizer(
                str(plain),
                lowercase=bool(told.get("do_lower_case", True)),
                strip_accents=told.get("strip_accents"),
                handle_chinese_chars=bool(told.get("tokenize_chinese_chars", True)),
            )
        )
    except Exception as error:  # the library raises Exception itself
        raise CheckpointError(
            f"The tokenizer in '{folder}' cannot be read; install the encoder again."
        ) from error
