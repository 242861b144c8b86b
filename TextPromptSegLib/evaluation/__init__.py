"""Checkpoints measured on labelled data sets: rows, summaries, report, model card."""

from __future__ import annotations

from .card import card_table, metrics_block
from .report import (
    Report,
    merge_reports,
)
from .rows import (
    CaseRow,
)
from .runner import evaluate

__all__ = ["CaseRow", "Report", "card_table", "evaluate", "merge_reports", "metrics_block"]
