"""Reports that several tests of the evaluation look at."""

from __future__ import annotations

import pytest
from evaluation_bench import Fake, write_case, write_set

from TextPromptSegLib.evaluation import evaluate


@pytest.fixture
def plain(tmp_path):
    cases = [
        write_case(tmp_path, "a", ["liver", "spleen"], ["liver", "spleen"]),
        write_case(tmp_path, "b", ["liver", "left kidney"], ["liver", "left kidney"]),
        write_case(tmp_path, "c", ["liver"], ["liver"]),
    ]
    return write_set(tmp_path, cases)


# -- what is written -------------------------------------------------------------------------------


@pytest.fixture
def two_models(plain):
    fakes = {"good": Fake(), "shifted": Fake(shift=2, invents=("spleen",))}
    return evaluate(list(fakes), [plain], predictor_factory=fakes.__getitem__)
