"""What an evaluation writes and draws: files, page, model card, previews."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
from evaluation_bench import run, write_case, write_set

from TextPromptSegLib.evaluation import Report, card_table, merge_reports, metrics_block
from TextPromptSegLib.evaluation.overlays import best_median_worst
from TextPromptSegLib.evaluation.previews import draw_preview, make_preview
from TextPromptSegLib.evaluation.report_files import write_report
from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.outcome import InputError


def test_files(two_models, tmp_path):
    files = write_report(two_models, tmp_path / "out")
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

    page = write_report(two_models, tmp_path)[3].read_text(encoding="utf-8")
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
