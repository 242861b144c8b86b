"""What an evaluation scores: sizes, distances, kinds of labels, modes, each as it is defined."""

from __future__ import annotations

import numpy as np
import pytest
from evaluation_bench import Fake, row, run, write_case, write_set

from TextPromptSegLib.evaluation import asking, card_table, metrics_block
from TextPromptSegLib.evaluation.summary import label_kind

# -- scores ----------------------------------------------------------------------------------------


def test_scores_of_a_shifted_answer(plain):
    report, _ = run(plain, Fake(shift=2))
    found = row(report, "a", "liver")
    assert found.dice == pytest.approx(0.8)
    assert found.iou == pytest.approx(80 / 120)
    assert (found.hd, found.unit, found.reference_ml) == (2.0, "px", None)
    liver = next(s for s in report.structures if s.structure == "liver")
    assert liver.stats["dice"].mean == pytest.approx(0.8)
    assert liver.pooled_iou == pytest.approx(0.8 / 1.2)
    summary = report.dataset_summaries[0]
    left = 2 * 12 / 48  # a kidney of 4 columns moved by 2
    assert summary.dice.value == pytest.approx((0.8 + 2 * 24 / 72 + left) / 3)
    assert summary.structures == 3  # the union "kidneys" is not counted again


def test_distances_are_in_mm_where_the_spacing_is_known(tmp_path):
    cases = [
        write_case(tmp_path, "v", ["liver"], ["liver"], slices=4, spacing=(0.5, 0.5, 3.0)),
        write_case(tmp_path, "p", ["liver"], ["liver"]),
        {**write_case(tmp_path, "q", ["liver"], ["liver"]), "spacing_mm": [1.5, 1.5]},
    ]
    report, _ = run(write_set(tmp_path, cases), Fake(shift=2), prompts=["liver"])
    assert [(r.unit, r.hd) for r in report.rows] == [("mm", 1.0), ("px", 2.0), ("mm", 3.0)]
    volume = report.rows[0]
    assert volume.reference_ml == pytest.approx(400 * 0.5 * 0.5 * 3 / 1000)
    assert volume.tp + volume.fp == 400
    assert report.structures[0].unit == "mixed"
    assert report.times[0].slices == 4


def test_a_missed_structure_costs_the_diagonal(plain):
    class Blind(Fake):
        def answer(self, text):
            self.volume = self.volume.with_array(np.zeros(self.volume.shape, np.uint8))
            return super().answer(text)

    report, _ = run(plain, Blind())
    found = row(report, "a", "liver")
    assert (found.dice, found.recall, found.outcome) == (0.0, 0.0, "not_found")
    assert found.hd == pytest.approx(32 * 2**0.5)


def test_an_unknown_prompt_is_counted_and_left_out(plain):
    report, _ = run(plain, Fake(knows={"liver"}))
    spleen = next(s for s in report.structures if s.structure == "spleen")
    assert (spleen.n, spleen.unknown, spleen.absent, spleen.stats) == (0, 3, 0, {})
    summary = report.dataset_summaries[0]
    assert (summary.dice.value, summary.structures, summary.unknown) == (1.0, 1, 4)
    assert summary.fp_rate is None
    assert "Not a prompt of this model: spleen, left kidney" in card_table(report, "fake")


KINDS = [
    ["expert: radiologists (CHAOS 2019)", "expert"],
    ["manual by a researcher, approved by a board-certified radiologist", "expert"],
    ["model output", "model output"],
    ["automatic", "automatic"],
    ["coarse", "coarse"],
    ["none", "mixed"],
    ["not stated", "mixed"],
    ["Montgomery: expert; Shenzhen: manual by students and teachers", "mixed"],
    ["TCIA tumor masks (semi-automatic, expert-checked)", "semi-automatic"],
    ["infection: radiologist-reviewed human-machine collaboration", "semi-automatic"],
]


@pytest.mark.parametrize("words, kind", KINDS)
def test_label_kinds(words, kind):
    assert label_kind(words) == kind


def test_synthetic_images_are_never_reported_beside_scans(tmp_path):
    a = write_case(tmp_path / "a", "one", ["liver"], ["liver"])
    b = write_case(tmp_path / "b", "two", ["liver"], ["liver"])
    caution = "The images are SYNTHETIC: drawn from the label map."
    paths = [
        write_set(tmp_path / "a", [a], "scans", caution="Not synthetic at all."),
        write_set(tmp_path / "b", [b], "drawn", caution=caution),
    ]
    report, _ = run(paths)
    assert [(s.label_kind, s.datasets) for s in report.overall] == [
        ("expert", 1),
        ("synthetic images", 1),
    ]
    table = card_table(report, "fake")
    assert table.index("Expert labels") < table.index("no measure of real scans")
    assert set(metrics_block(report, "fake")["overall"]) == {"expert", "synthetic images"}
    page = __import__("TextPromptSegLib.evaluation.page", fromlist=["x"]).render_page(report)
    assert "numbers on them say nothing of real scans" in page


def test_expert_labels_are_reported_apart_and_missing_patients_noted(tmp_path):
    a = write_case(tmp_path / "a", "one", ["liver"], ["liver"])
    b = [write_case(tmp_path / "b", n, ["liver"], ["liver", "spleen"]) for n in ("two", "three")]
    for case in b:
        case["patient"] = None
    paths = [
        write_set(tmp_path / "a", [a], "drawn"),
        write_set(tmp_path / "b", b, "made_by_net", label_quality="model output"),
    ]
    report, _ = run(paths)
    assert [(s.label_kind, s.datasets) for s in report.overall] == [
        ("expert", 1),
        ("model output", 1),
    ]
    assert report.overall[0].dice.value == 1.0
    assert report.overall[1].dice.value == pytest.approx(0.5)
    drawn, made = report.datasets
    assert (drawn.patients_known, made.patients_known, made.patients) == (True, False, 2)
    table = card_table(report, "fake")
    assert table.index("Expert labels") < table.index("model output (agreement, not accuracy)")
    assert "`made_by_net`: no patient ids" in table
    assert "`drawn`: no patient ids" not in table
    page = __import__("TextPromptSegLib.evaluation.page", fromlist=["x"]).render_page(report)
    assert "one patient may be in two splits" in page


def test_modes_and_further_measures_side_by_side(plain):
    from TextPromptSegLib.metrics import calibration_counts, pixel_distances

    def with_help(predictor, prompts, case):
        assert case.is_present("liver")
        predictor.shift, kept = 0, predictor.shift
        answers = predictor.segment(list(prompts))
        predictor.shift = kept
        return answers

    report, fake = run(
        plain,
        Fake(shift=2),
        modes={"text only": asking.ask_by_text, "text + box": with_help},
        extras=[
            lambda s, r: pixel_distances(s.mask, r),
            lambda s, r: {"ece": calibration_counts(s.probability, r).ece},
        ],
    )
    assert len(fake.set) == 3  # the image is shared by the modes
    by_mode = {s.mode: s.dice.value for s in report.overall}
    assert by_mode["text + box"] == 1.0 > by_mode["text only"]
    assert report.rows[0].extra["hd_px"] == 2.0
    assert report.rows[0].extra["ece"] > 0
