"""Evaluation with a fake predictor on small data sets: what is asked, and what goes wrong."""

from __future__ import annotations

import pytest
from evaluation_bench import Fake, row, run, write_case, write_set

from TextPromptSegLib.evaluation import asking, card_table, evaluate
from TextPromptSegLib.outcome import Cancelled, CheckpointError, InputError, OutputError
from TextPromptSegLib.prompting.segmentation import Segmentation

# -- what is asked ---------------------------------------------------------------------------------


def test_an_unannotated_structure_is_never_a_negative(tmp_path):
    # The spleen is in the picture, but nobody drew it. A model that finds it is right.
    case = write_case(tmp_path, "partial", ["liver", "spleen", "left kidney"], ["liver"])
    case["annotated"] = ["liver", "right kidney"]
    report, fake = run(write_set(tmp_path, [case]))
    assert fake.asked == [["liver", "right kidney"]]  # not spleen, left kidney, nor "kidneys"
    assert [(r.structure, r.present) for r in report.rows] == [
        ("liver", True),
        ("right kidney", False),
    ]
    assert report.overall[0].absent == 1
    assert report.overall[0].false_positives == 0
    # the same picture with the spleen looked for and not drawn: now it is a false alarm
    report, _ = run(write_set(tmp_path, [{**case, "annotated": ["liver", "spleen"]}]))
    assert report.overall[0].false_positives == 1


def test_absent_structures_are_scored_by_false_alarms(plain):
    report, _ = run(plain, Fake(invents=("spleen",)))
    spleen = next(s for s in report.structures if s.structure == "spleen")
    assert (spleen.n, spleen.absent, spleen.false_positives) == (1, 2, 2)
    assert spleen.fp_rate.value == 1.0
    alarm = row(report, "c", "spleen")
    assert alarm.false_alarm and alarm.fp == 30 and alarm.dice is None
    assert spleen.pooled_dice.value == 1.0
    assert spleen.pooled_dice_all == pytest.approx(2 * 36 / (2 * 36 + 60))
    kidneys = next(s for s in report.structures if s.structure == "kidneys")
    assert (kidneys.n, kidneys.absent, kidneys.is_union) == (1, 2, True)
    # 3 cases x 5 names, 7 of them absent without the kidney union's two
    assert (report.overall[0].absent, report.overall[0].false_positives) == (9, 2)


def test_one_load_one_volume_a_case_and_one_call(plain):
    loads = []
    fake = Fake()

    def factory(name):
        loads.append(name)
        return fake

    evaluate(["fake"], [plain], predictor_factory=factory)
    assert loads == ["fake"]
    assert len(fake.set) == 3
    assert fake.asked == [["liver", "spleen", "left kidney", "right kidney", "kidneys"]] * 3
    assert fake.unloaded == 1


def test_two_cases_of_one_picture_share_the_image(tmp_path):
    case = write_case(tmp_path, "a", ["liver", "spleen"], ["liver", "spleen"])
    organs = {**case, "id": "a-liver", "annotated": ["liver"], "present": ["liver"]}
    other = {**case, "id": "a-spleen", "annotated": ["spleen"], "present": ["spleen"]}
    report, fake = run(write_set(tmp_path, [organs, other]))
    assert len(fake.set) == 1
    assert [r.dice for r in report.rows] == [1.0, 1.0]
    assert report.datasets[0].patients == 1


def test_many_prompts_on_a_large_volume_are_asked_in_parts(plain, monkeypatch):
    whole, _ = run(plain)
    monkeypatch.setattr(asking, "ANSWER_BYTES", 3 * 32 * 32 * 2)
    parts, fake = run(plain)
    assert [len(p) for p in fake.asked[:3]] == [2, 2, 1]
    assert parts.rows == whole.rows


def test_limit_split_and_prompts(plain):
    report, _ = run(plain, limit=2)
    assert {r.case for r in report.rows} == {"a", "c"}
    report, fake = run(plain, prompts={"liver": "please segment the liver"})
    assert fake.asked == [["please segment the liver"]] * 3
    assert {(r.structure, r.prompt) for r in report.rows} == {("liver", "please segment the liver")}
    report, fake = run(plain, prompts=["spleen"])
    assert fake.asked == [["spleen"]] * 3
    with pytest.raises(InputError, match="nothing to ask"):
        run(plain, split="val")


# -- what goes wrong -------------------------------------------------------------------------------


def test_a_failing_case_is_recorded_and_the_run_goes_on(plain):
    (plain.parent / "images" / "b.png").write_bytes(b"broken")
    report, fake = run(plain)
    assert {r.case for r in report.rows} == {"a", "c"}
    (failure,) = report.failures
    assert (failure.dataset, failure.case) == ("set_a", "b")
    assert str(plain.parent) not in failure.reason
    assert report.dataset_summaries[0].failures == 1
    assert "in no number above: 1 case." in card_table(report, "fake")


def test_a_predictor_that_breaks_costs_one_case(plain):
    class Breaks(Fake):
        def segment(self, prompts):
            if len(self.set) == 2:
                raise RuntimeError("out of memory at /home/somebody/secret/file.nii")
            return super().segment(prompts)

    report, _ = run(plain, Breaks())
    assert {r.case for r in report.rows} == {"a", "c"}
    assert report.failures[0].reason == "RuntimeError: out of memory at file.nii"


def test_after_a_failure_the_image_is_given_anew(tmp_path):
    class BreaksOnce(Fake):
        def segment(self, prompts):
            self.asked.append(prompts)
            if len(self.asked) == 1:
                raise RuntimeError("the device was lost")
            return super().segment(prompts)

    case = write_case(tmp_path, "a", ["liver"], ["liver"])
    report, fake = run(write_set(tmp_path, [case, {**case, "id": "again"}]), BreaksOnce())
    assert len(fake.set) == 2
    assert {r.case for r in report.rows} == {"again"}


def test_contradictions_are_failures_not_numbers(plain, tmp_path):
    class Silent(Fake):
        def segment(self, prompts):
            return super().segment(prompts)[:-1]

    class Cropped(Fake):
        def answer(self, text):
            answer = super().answer(text)
            return Segmentation(**{**vars(answer), "mask": answer.mask[:, 1:]})

    for fake, words in ((Silent(), "5 prompts were asked but 4"), (Cropped(), "shape")):
        report, _ = run(plain, fake)
        assert not report.rows
        assert len(report.failures) == 3 and words in report.failures[0].reason
    case = write_case(tmp_path / "x", "x", ["liver"], ["liver"])
    case["present"] = ["liver", "spleen"]
    report, _ = run(write_set(tmp_path / "x", [case]))
    assert "nothing is drawn" in report.failures[0].reason


def test_a_missing_model_does_not_cost_the_others(plain):
    def factory(name):
        if name == "missing":
            raise CheckpointError("There is no checkpoint missing; see models list.")
        return Fake()

    report = evaluate(["missing", "/somewhere/fake"], [plain], predictor_factory=factory)
    assert list(report.models) == ["fake"]
    assert report.failures[0].model == "missing" and not report.failures[0].case
    with pytest.raises(CheckpointError, match="no checkpoint"):
        evaluate(["missing"], [plain], predictor_factory=factory)
    with pytest.raises(InputError):
        evaluate(["fake"], [plain.parent / "none.json"], predictor_factory=factory)


def test_cancel_writes_nothing(plain, tmp_path):
    seen = []

    def progress(done, total, message):
        seen.append((done, total, message))
        return done < 2

    with pytest.raises(Cancelled):
        run(plain, report_dir=tmp_path / "report", progress=progress)
    assert [s[:2] for s in seen] == [(0, 3), (1, 3), (2, 3)]
    assert "Secret" not in str(seen)
    assert not (tmp_path / "report").exists()


def test_a_folder_that_cannot_be_written(plain, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="choose a folder"):
        run(plain, report_dir=tmp_path / "file" / "report")
