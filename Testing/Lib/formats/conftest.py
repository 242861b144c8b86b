"""A scan, and four results in it, for the tests of writers."""

from __future__ import annotations

import pytest
from results_to_write import organs, scan

from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.prompting.segmentation import Segmentation


@pytest.fixture
def volume() -> Volume:
    return scan()


@pytest.fixture
def results() -> list[Segmentation]:
    return organs()
