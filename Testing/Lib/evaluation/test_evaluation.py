"""Evaluation with a fake predictor on small data sets: what is asked, scored, reported, drawn."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from TextPromptSegLib.evaluation import (
    Report,
    asking,
    card_table,
    evaluate,
    merge_reports,
    metrics_block,
)
from TextPromptSegLib.evaluation.overlays import best_median_worst
from TextPromptSegLib.evaluation.previews import draw_preview, make_preview
from TextPromptSegLib.evaluation.summary import label_kind
from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.outcome import (
    Cancelled,
    CheckpointError,
    InputError,
    Outcome,
    OutputError,
)
from TextPromptSegLib.prompting.segmentation import (
    Segmentation,
)

GREY = {"liver": 60, "spleen": 120, "left kidney": 180, "right kidney": 240}
LABELS = {1: "liver", 2: "spleen", 3: "left kidney", 4: "right kidney"}
KIDNEYS = {"kidneys": ["left kidney", "right kidney"]}
BOXES = {
    "liver": np.s_[:, 4:14, 4:14],
    "spleen": np.s_[:, 4:10, 20:26],
    "left kidney": np.s_[:, 20:26, 22:26],
    "right kidney": np.s_[:, 20:26, 4:8],
}


def write_case(folder: Path, name: str, in_picture, drawn, slices: int = 1, spacing=None) -> dict:
    """Write an image that shows `in_picture` and a label that holds only `drawn`."""
    sitk = pytest.importorskip("SimpleITK")
    image = np.full((slices, 32, 32), 10, np.uint8)
    label = np.zeros_like(image)
    values = {n: v for v, n in LABELS.items()}
    for structure in in_picture:
        image[BOXES[structure]] = GREY[structure]
    for structure in drawn:
        label[BOXES[structure]] = values[structure]
    ending = ".png" if spacing is None else ".nii.gz"
    for kind, array in (("images", image), ("labels", label)):
        picture = sitk.GetImageFromArray(array if spacing else array[0])
        if spacing:
            picture.SetSpacing(spacing)
            picture = sitk.Cast(picture, sitk.sitkInt16) if kind == "images" else picture
        (folder / kind).mkdir(parents=True, exist_ok=True)
        sitk.WriteImage(picture, str(folder / kind / (name + ending)))
    return {
        "id": name,
        "patient": f"Secret-{name}",
        "image": f"images/{name}{ending}",
        "label": f"labels/{name}{ending}",
        "split": "test",
        "present": list(drawn),
    }


def write_set(folder: Path, cases: list[dict], name: str = "set_a", **info) -> Path:
    values = {
        "name": name,
        "modality": "MR",
        "label_quality": "expert",
        "spacing_mm": None,
        "labels": {str(v): n for v, n in LABELS.items()},
        "groups": KIDNEYS,
        **info,
        "cases": cases,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dataset.json").write_text(json.dumps(values), encoding="utf-8")
    return folder / "dataset.json"


class Fake:
    """Finds structures by their grey value, so it knows the picture and not the labels."""

    def __init__(self, shift: int = 0, invents: tuple[str, ...] = (), knows=None) -> None:
        self.shift, self.invents, self.knows = shift, invents, knows
        self.set, self.asked, self.unloaded = [], [], 0
        self.config = {"title": "Fake", "licence": {"line": "research only"}}

    def set_volume(self, volume: Volume) -> None:
        self.volume = volume
        self.set.append(volume.name)

    def segment(self, prompts: list[str]) -> list[Segmentation]:
        assert all(isinstance(p, str) for p in prompts)
        self.asked.append(list(prompts))
        return [self.answer(p) for p in prompts]

    def answer(self, text: str) -> Segmentation:
        image = np.asarray(self.volume.array)
        names = KIDNEYS.get(text, [text])
        mask = np.isin(image, [GREY[n] for n in names if n in GREY]).astype(np.uint8)
        mask = np.roll(mask, self.shift, axis=2)
        if text in self.invents and not mask.any():
            mask[:, 28:31, 10:20] = 1
        outcome = Outcome.FOUND if mask.any() else Outcome.NOT_FOUND
        if self.knows is not None and text not in self.knows:
            mask, outcome = np.zeros_like(mask), Outcome.UNKNOWN_PROMPT
        return Segmentation(
            prompt=SimpleNamespace(text=text),
            outcome=outcome,
            mask=mask,
            probability=mask.astype(np.float16),
            seconds=0.01,
            max_probability=float(mask.max()),
            voxels=int(mask.sum()),
            volume_ml=0.0,
            threshold=0.5,
        )

    def unload(self) -> None:
        self.unloaded += 1


def run(path, fake=None, **options) -> tuple[Report, Fake]:
    fake = fake or Fake()
    paths = path if isinstance(path, list) else [path]
    return evaluate(["fake"], paths, predictor_factory=lambda _: fake, **options), fake


@pytest.fixture
def plain(tmp_path):
    cases = [
        write_case(tmp_path, "a", ["liver", "spleen"], ["liver", "spleen"]),
        write_case(tmp_path, "b", ["liver", "left kidney"], ["liver", "left kidney"]),
        write_case(tmp_path, "c", ["liver"], ["liver"]),
    ]
    return write_set(tmp_path, cases)


def row(report, case, structure, model="fake"):
    (found,) = [
        r for r in report.rows if (r.case, r.structure, r.model) == (case, structure, model)
    ]
    return found


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


# -- what is written -------------------------------------------------------------------------------


@pytest.fixture
def two_models(plain):
    fakes = {"good": Fake(), "shifted": Fake(shift=2, invents=("spleen",))}
    return evaluate(list(fakes), [plain], predictor_factory=fakes.__getitem__)


def test_files(two_models, tmp_path):
    files = two_models.write(tmp_path / "out")
    names = ["report.json", "cases.csv", "summary.csv", "report.html"]
    assert [p.name for p in files] == names
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(names)
    again = Report.read(files[0])
    assert again.rows == two_models.rows
    assert again.overall == two_models.overall
    assert again.structures == two_models.structures
    with files[1].open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(two_models.rows) == 30
    shifted = next(r for r in rows if (r["model"], r["structure"]) == ("shifted", "liver"))
    assert (shifted["dice"], shifted["present"]) == ("0.8", "True")
    with files[2].open(newline="") as stream:
        liver = next(r for r in csv.DictReader(stream) if r["structure"] == "liver")
    assert (liver["n"], liver["dice_mean"], liver["pooled_dice"]) == ("3", "1", "1")
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert "Secret" not in text and str(tmp_path) not in text
    other = tmp_path / "other.json"
    other.write_text("{}")
    with pytest.raises(InputError, match=r"report\.json"):
        Report.read(other)


def test_page_is_self_contained_and_shows_everything(two_models, tmp_path):
    from PIL import Image

    page = two_models.write(tmp_path)[3].read_text(encoding="utf-8")
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert sources and all(s.startswith(("data:image/png;base64,", "#set-")) for s in sources)
    assert "<script" not in page and "http" not in re.sub(r"http-equiv", "", page)
    pictures = [s for s in sources if s.startswith("data:")]
    # violins, reliability, false alarms, and overlays: liver 3 x 2, spleen 1 x 2, kidney and
    # union 1 x 2 each
    assert len(pictures) == 3 + 6 + 2 + 4 + 2
    for picture in pictures:
        image = Image.open(io.BytesIO(base64.b64decode(picture.split(",")[1])))
        assert image.format == "PNG" and np.ptp(np.asarray(image.convert("L"))) > 50
    for word in ("good", "shifted", "liver", "0.800", "best", "median", "worst", "2 of 2"):
        assert word in page


def test_names_cannot_inject_html(tmp_path):
    case = write_case(tmp_path, "a", ["liver"], ["liver"])
    case["id"] = "<img src=x onerror=alert(1)>"
    path = write_set(tmp_path, [case], "<b>evil</b>", caution="<script>1</script>")
    report, _ = run(path, report_dir=tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "<img src=x" not in page and "<script>" not in page and "<b>evil" not in page


def test_merge_puts_reports_side_by_side(plain, two_models, tmp_path):
    one, _ = run(plain)
    both = merge_reports([two_models, one])
    assert [m for m, _ in both.runs] == ["good", "shifted", "fake"]
    assert both.overall[2].dice == one.overall[0].dice
    with pytest.raises(InputError, match="twice"):
        merge_reports([one, one])
    with pytest.raises(InputError, match="tolerances"):
        merge_reports([one, run(plain, tolerance=1.0)[0]])


def test_model_card(two_models):
    block = metrics_block(two_models, "shifted")
    assert json.loads(json.dumps(block)) == block
    liver = block["datasets"]["set_a"]["structures"]["liver"]
    assert (liver["n"], liver["dice"], liver["pooled_dice"], liver["unit"]) == (3, 0.8, 0.8, "px")
    spleen = block["datasets"]["set_a"]["structures"]["spleen"]["absent"]
    assert (spleen["pairs"], spleen["false_positives"], spleen["false_positive_rate"]) == (2, 2, 1)
    assert block["overall"]["expert"]["absent"]["pairs"] == 9
    assert block["split"] == "test"
    table = card_table(two_models, "shifted")
    assert "| `set_a` | liver | 3 | 0.800" in table and "| 2/2 |" in table
    with pytest.raises(InputError, match="holds"):
        metrics_block(two_models, "other")


# -- pictures --------------------------------------------------------------------------------------


def test_preview_shows_the_largest_slice_the_same_way_in_any_axis_order():
    array = np.zeros((5, 40, 48), np.int16)
    array[2:4, 10:20, 8:14] = 100
    reference = np.zeros(array.shape, np.uint8)
    reference[3, 10:20, 8:14] = 1
    prediction = np.roll(reference, 3, axis=2)
    volume = Volume.from_array(array, (1.0, 1.0, 3.0), modality="MR")
    flipped = Volume(array[:, :, ::-1].copy(), volume.ijk_to_ras @ np.diag([-1, 1, 1, 1.0]))
    one = make_preview(volume, reference, prediction, (3.0, 1.0, 1.0))
    two = make_preview(flipped, reference[:, :, ::-1], prediction[:, :, ::-1], (3.0, 1.0, 1.0))
    assert one.note == "slice 4 of 5"
    assert (one.image, one.masks) == (two.image, two.masks)
    from PIL import Image

    data = draw_preview(one).split(",")[1]
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")).astype(int)
    blue = (picture[..., 2] > 200) & (picture[..., 0] < 120)
    orange = (picture[..., 0] > 200) & (picture[..., 2] < 90)
    # patient right is on the left of the picture; the prediction lies more to the right
    assert blue.any() and orange.any()
    assert np.argwhere(orange)[:, 1].mean() > np.argwhere(blue)[:, 1].mean()


def test_best_median_worst():
    rows = [SimpleNamespace(dice=d, case=str(d)) for d in (0.5, 0.9, 0.1, 0.7, 0.6)]
    words = [(word, r.dice) for word, r in best_median_worst(rows)]
    assert words == [("best", 0.9), ("median", 0.6), ("worst", 0.1)]
    assert [w for w, _ in best_median_worst(rows[:2])] == ["best", "worst"]
    assert [w for w, _ in best_median_worst(rows[:1])] == ["only case"]
