"""A client with a fake worker, and an image for it."""

from __future__ import annotations

import numpy as np
import pytest
from worker_bench import fake_client

from TextPromptSegLib.image.volume import Volume


@pytest.fixture
def client():
    made = fake_client()
    yield made
    made.stop()


@pytest.fixture
def volume() -> Volume:
    generator = np.random.default_rng(1)
    array = generator.integers(-100, 200, (6, 24, 32)).astype(np.int16)
    return Volume.from_array(array, (2.0, 2.0, 5.0), modality="CT", name="synthetic")
