"""Images for the tests of jobs."""

from __future__ import annotations

from pathlib import Path

import pytest
from batch_bench import write_image


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    for n, name in enumerate(("a.nii.gz", "b.nrrd", "deep/c.mha")):
        write_image(folder / name, n)
    return folder
