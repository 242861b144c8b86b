"""The one table that `make bench` prints: what, ours, the other's, ours : other."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from bench_table import Row, as_markdown

_ROWS = pytest.StashKey[list[Row]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_ROWS] = []


@pytest.fixture
def table_row(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Add a row to the table: ``table_row("what", ours, "the other", other, "s")``."""
    rows = request.config.stash[_ROWS]

    def add(what: str, ours: float, against: str, other: float, unit: str) -> None:
        rows.append(Row(what, ours, against, other, unit))

    return add


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    rows = config.stash[_ROWS]
    if rows:
        terminalreporter.section("what was measured")
        terminalreporter.write_line(as_markdown(rows))
