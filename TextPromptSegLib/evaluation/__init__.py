"""Evaluation of checkpoints on labelled data sets: `evaluate` and the `Report` it returns."""

from __future__ import annotations

from .card import card_table, metrics_block
from .report import CaseRow, Report, merge_reports
from .runner import evaluate

__all__ = ["CaseRow", "Report", "card_table", "evaluate", "merge_reports", "metrics_block"]
