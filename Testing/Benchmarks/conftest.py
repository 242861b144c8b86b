"""The one table that `make bench` prints: what, ours, the other's, ours : other.

Rows stay in ``build/bench.json``, so the table may be measured in parts
(``make bench ONLY=peers``) and a part that is measured again takes the place of what it was.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from bench_table import Row, as_markdown, caption, keep, kept, now

KEPT = Path(__file__).resolve().parents[2] / "build" / "bench.json"


@pytest.fixture
def table_row() -> Callable[..., None]:
    """Add a row to the table: ``table_row("what", ours, "the other", other, "s")``."""
    import torch

    def add(what: str, ours: float, against: str, other: float, unit: str) -> None:
        keep(KEPT, Row(what, ours, against, other, unit, now(), torch.get_num_threads()))

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    rows = kept(KEPT)
    if rows:
        terminalreporter.section("what was measured")
        terminalreporter.write_line(as_markdown(rows))
        terminalreporter.write_line(caption(rows))
