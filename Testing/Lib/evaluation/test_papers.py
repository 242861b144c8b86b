"""A paper's tables beside measured runs: data, seeds, statistics, files, training of rows."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from TextPromptSegLib.evaluation.papers import runs as papers_runs
from TextPromptSegLib.evaluation.papers.measure import measure_tables, missing_rows
from TextPromptSegLib.evaluation.papers.runs import find_runs, identity, row_of, train_rows
from TextPromptSegLib.evaluation.papers.spread import spread_of
from TextPromptSegLib.evaluation.papers.tables import Paper, read_paper
from TextPromptSegLib.evaluation.papers.writing import write_paper
from TextPromptSegLib.evaluation.plots import _density
from TextPromptSegLib.evaluation.report import Report
from TextPromptSegLib.evaluation.rows import CaseRow, DatasetInfo
from TextPromptSegLib.outcome import InputError
from TextPromptSegLib.systems.registry import folder_of
from TextPromptSegLib.training.recipe import Recipe
from TextPromptSegLib.training.rows import find_row, rows_of, write_row

PAPERS = ("film-unet", "svp-cvae", "omt-sam", "patch-unet-vae")


def row(dice: float, structure: str = "glioma", **changes: Any) -> CaseRow:
    """One question whose answer has a Dice; the counts belong to it (200 px in both masks)."""
    hit = round(100 * dice)
    values: dict[str, Any] = dict.fromkeys(("hd", "hd95", "asd", "assd"), 1.0)
    values |= {"model": "m", "mode": "text only", "dataset": "set_a", "case": structure + "1"}
    values |= {"structure": structure, "prompt": structure, "group": "p1", "present": True}
    values |= {"outcome": "found", "dice": dice, "iou": dice / (2 - dice), "nsd": 1.0}
    values |= {"precision": dice, "recall": dice, "tp": hit, "fp": 100 - hit, "fn": 100 - hit}
    values |= {"unit": "px", "reference_ml": None, "predicted_ml": None, "extra": {"hd_px": 2.0}}
    return CaseRow(**{**values, "max_probability": 1.0, "seconds": 0.1, **changes})


def write_run(
    folder: Path, system: str, name: str, seed: int, rows: list[CaseRow], report: str = "report"
) -> None:
    """A run as `train_rows` leaves it, with this report."""
    sets = sorted({r.dataset for r in rows})
    infos = [DatasetInfo(n, n, "MR", "expert", "expert", True, 1, 1) for n in sets]
    made = Report("test", "now", "1", 2.0, {"m": {}}, infos, rows)
    (folder / report).mkdir(parents=True)
    (folder / report / "report.json").write_text(json.dumps(made.to_dict()))
    write_row(folder, find_row(system, name), seed)
    plan = {"name": "r", "system": system, "config": {}, "input": {}, "steps": 7}
    (folder / "recipe.json").write_text(json.dumps({**plan, "data": [{"name": "set_a"}]}))


# ---- what the papers say ----


@pytest.mark.parametrize("system", PAPERS)
def test_every_table_has_its_rows_recipe_and_runs(system: str) -> None:
    paper = read_paper(system)
    for name, table in paper.tables.items():
        file = folder_of(system) / table.recipe
        assert table.recipe and Recipe.read(file).system == system, name
        for title in table.rows:
            found = row_of(paper, table, title)
            if found is not None:
                assert find_row(found.system, found.title) == found
                assert identity(paper, table, found)[2] is not None
                assert (folder_of(found.system) / table.recipe).is_file(), (name, title)
    shown = {f"{table}/{title}" for table, t in paper.tables.items() for title in t.rows}
    own = {name for name in rows_of(system) if not name.startswith("ours/")}
    assert own <= shown, "a row of ablations.json stands in no table"


def test_values_are_those_of_the_papers() -> None:
    """A sample of each, typed again from the papers; the whole was compared with their texts."""
    film, svp, omt, patch = (read_paper(name).tables for name in PAPERS)
    assert film["table 3"].rows["Dice"].values["Dice"] == [0.9771, 0.0006]
    assert film["table 4"].rows["Jaccard"].interval["Dice"] == [0.9626, 0.9654]
    steps = [row.values["Dice"] for row in film["table 6"].rows.values()]
    assert steps == [0.9123, 0.9417, 0.9532, 0.9589, 0.9615, 0.9640]
    assert svp["table 4"].rows["+CLMD"].values["HD (px)"] == 23.49
    assert svp["table 2"].rows["SVP-CVAE"].values["mIoU (%)"] == 66.91
    assert omt["table 2"].rows["MedSAM"].values["Kidney"] == [0.921, 0.0167]
    assert omt["table 3"].rows["without multi-feature"].values["Mean HD95"] == 14.938
    assert patch["table 1"].rows["0.75"].values["MSE"] == 0.001578
    assert patch["table 2"].rows["0.75"].values["Dice"] == 0.8841


def test_a_paper_that_is_not_there_and_a_wrong_file(monkeypatch, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="film-unet"):
        read_paper("monai-unet")
    values = json.loads((folder_of("omt-sam") / "paper.json").read_text(encoding="utf-8"))
    values["tables"]["table 3"]["rows"]["full"]["values"]["Mean Dice"] = 1
    (tmp_path / "paper.json").write_text(json.dumps(values))
    monkeypatch.setattr(
        "TextPromptSegLib.evaluation.papers.tables.folder_of", lambda name: tmp_path
    )
    with pytest.raises(InputError, match="Mean Dice"):
        read_paper("omt-sam")


# ---- statistics ----


def test_spread_by_hand() -> None:
    found = spread_of([0.1, 0.2, 0.3])
    assert (found.n, round(found.mean, 9), round(found.sd or 0, 9)) == (3, 0.2, 0.1)
    half = 4.302653 * 0.1 / 3**0.5  # t of 0.975 with 2 degrees of freedom
    assert found.low == pytest.approx(0.2 - half, abs=1e-6)
    assert found.high == pytest.approx(0.2 + half, abs=1e-6)
    assert found.w == pytest.approx(1.0, abs=1e-6), "three equal steps are as normal as can be"
    skewed = spread_of([0.0] * 8 + [1.0])
    assert skewed.p is not None and skewed.p < 0.001
    assert spread_of([0.5]).sd is None
    assert spread_of([0.5, 0.5, 0.5]).w is None, "equal values have no shape"


def test_distances_are_not_reflected_as_shares_are() -> None:
    points = np.array([1.05, 1.1, 1.2, 1.3, 1.9])
    assert np.allclose(_density(points)[1], _density(points + 100)[1])
    shares = points - 1
    assert not np.allclose(_density(shares)[1], _density(points)[1])


# ---- runs beside tables ----


def film_runs(root: Path) -> Paper:
    for seed, dice in enumerate((0.5, 0.7, 0.9)):
        rows = [row(dice), row(0.1, "meningioma")]
        write_run(root / f"a/seed_{seed}", "film-unet", "table 3/Dice", seed, rows)
    brats = [row(0.6, "whole tumor", dataset="brats2021"), row(1.0, "edema", dataset="brats2021")]
    write_run(root / "a/seed_0", "film-unet", "table 3/Dice", 0, brats, "zero_shot")
    write_run(root / "b/seed_0", "film-unet", "table 6/+CBN", 0, [row(0.4)])
    write_run(root / "c/seed_0", "omt-sam", "table 3/full", 0, [row(0.4)])
    return read_paper("film-unet")


def test_runs_find_their_rows_and_those_of_equal_networks(tmp_path: Path) -> None:
    paper = film_runs(tmp_path)
    measured = {found.name: found for found in measure_tables(paper, find_runs([tmp_path]))}
    cell = measured["table 3"].cells["Dice", "Dice"]
    assert cell.values == pytest.approx((0.3, 0.4, 0.5)), "mean of two structures, own data only"
    assert measured["table 3"].cells["Dice", "HD (px)"].mean == 2.0
    assert measured["table 10"].cells["proposed", "Dice"].values == (0.6,), "a second report"
    # the whole network of table 6 is the one that was trained with Dice loss
    assert measured["table 6"].cells["all", "Dice"] == cell
    assert measured["table 6"].cells["+CBN", "Dice"].values == (0.4,)
    assert ("Jaccard", "Dice") not in measured["table 3"].cells
    assert not measured["table 4"].cells, "runs of another recipe"
    missing = missing_rows(paper, list(measured.values()))
    assert "table 3/Jaccard" in missing and "table 3/Dice" not in missing
    assert "table 10/MedSAM" not in missing, "others' networks cannot be run here"


def test_pooled_papers_pool_and_percent_is_percent(tmp_path: Path) -> None:
    both = [row(0.5), row(1.0, case="2", tp=300, fp=0, fn=0)]
    rows = [CaseRow(**{**vars(r), "mode": "own report text"}) for r in both]
    write_run(tmp_path, "svp-cvae", "table 5/full", 0, rows)
    measured = {t.name: t for t in measure_tables(read_paper("svp-cvae"), find_runs([tmp_path]))}
    pooled = 100 * 2 * 350 / (2 * 350 + 100)
    for table, name in (("table 5", "full"), ("table 4", "+SAL"), ("table 1", "SVP-CVAE")):
        assert measured[table].cells[name, "DSC (%)"].mean == pytest.approx(pooled)


def test_ways_of_asking_and_baselines(tmp_path: Path) -> None:
    boxed = [row(0.8, "liver", mode="text + box"), row(0.6, "liver")]
    write_run(tmp_path / "a", "omt-sam", "table 3/full", 0, boxed)
    name = "omt-sam: table 1/U-Net(2D)"
    write_run(tmp_path / "b", "monai-unet", name, 0, [row(0.3, "liver")])
    measured = {t.name: t for t in measure_tables(read_paper("omt-sam"), find_runs([tmp_path]))}
    first, second = measured["table 1"].cells, measured["table 2"].cells
    assert first["OMT-SAM", "Mean DSC"].mean == 0.8
    assert first["OMT-SAM", "DSC by text alone"].mean == 0.6
    assert first["U-Net(2D)", "Mean DSC"].mean == 0.3
    missing = missing_rows(read_paper("omt-sam"), list(measured.values()))
    assert missing[0] == "table 1/MedSAM" and len(missing) == 3, "each is named once"
    assert second["U-Net(2D)", "Liver"].mean == 0.3 and ("U-Net(2D)", "Spleen") not in second


def test_studies_of_patches_and_costs(tmp_path: Path) -> None:
    lines = ["ratio,seed,dataset,structure,dice", "0.75,1,d,s,0.2", "0.75,1,d,s,0.4"]
    lines += ["0.75,2,d,s,0.5", "0,1,d,s,0.9"]
    (tmp_path / "patches.csv").write_text("\n".join(lines))
    measured = measure_tables(read_paper("patch-unet-vae"), find_runs([tmp_path]))
    assert measured[1].cells["0.75", "Dice"].values == pytest.approx((0.3, 0.5))
    assert measured[1].cells["0", "Dice"].values == (0.9,)
    assert measured[1].facts == ["1 patches of d."]
    film_runs(tmp_path / "film")
    costs = {"parameters_m": 9.9}
    found = measure_tables(
        read_paper("film-unet"), find_runs([tmp_path / "film"]), lambda run: costs
    )
    (table,) = [t for t in found if t.name == "section 4.6"]
    assert table.cells["proposed", "Parameters (M)"].mean == 9.9


def test_files(tmp_path: Path) -> None:
    paper = film_runs(tmp_path / "runs")
    runs = find_runs([tmp_path / "runs"])
    out = tmp_path / "out"
    files = write_paper(paper, measure_tables(paper, runs), runs, out, first_line="Reduced.")
    names = {path.name for path in files}
    assert names == {p.name for p in out.iterdir()}
    assert {"steps_table_3.png", "violins_table_3.png"} <= names
    assert "steps_table_4.png" not in names
    text = (out / "tables.md").read_text(encoding="utf-8")
    assert text.startswith("Reduced.\n")
    assert "| Dice | 0.9771 ± 0.0006 | 0.4000 ± 0.1000 (3) |" in text
    assert "| Dice | Dice | 3 | 0.4000 | 0.1000 | 0.1516 to 0.6484 |" in text
    assert "set_a, split test" in text and "brats2021, split test" in text and "7 steps" in text
    assert "table 3/Jaccard" in text.split("## Not run")[1]
    with (out / "tables.csv").open(encoding="utf-8") as stream:
        cells = {(r["table"], r["row"], r["column"]): r for r in csv.DictReader(stream)}
    assert cells["table 3", "Dice", "Dice"]["paper_sd"] == "0.0006"
    assert cells["table 3", "Dice", "Dice"]["n"] == "3"
    assert cells["table 3", "Tversky", "Dice"]["mean"] == ""
    assert len((out / "runs.csv").read_text().splitlines()) > 10
    with pytest.raises(InputError, match="--row"):
        find_runs([out])


# ---- training rows ----


def test_every_seed_is_trained_and_measured_once(tmp_path: Path, monkeypatch) -> None:
    calls: list[Any] = []

    def train(recipe: Recipe, data: Any, folder: Path, **options: Any) -> Path:
        calls.append((recipe.seed, dict(recipe.config), options["resume"]))
        if len(calls) == 3:  # the second training, after the first run was measured
            (folder / "last.ckpt").write_text("half")
            raise KeyboardInterrupt
        made = folder / recipe.name
        made.mkdir()
        (made / "config.json").write_text("{}")
        return made

    def evaluate(models: Any, sets: Any, split: str, folder: Path, **options: Any) -> None:
        folder.mkdir()
        (folder / "report.json").write_text("{}")
        calls.append((split, list(options["modes"])))

    monkeypatch.setattr(papers_runs, "train", train)
    monkeypatch.setattr(papers_runs, "evaluate", evaluate)
    data = tmp_path / "tiny"
    data.mkdir()
    case = {"id": "1", "image": "i.png", "label": "l.png", "split": "test", "present": []}
    values = {"name": "tiny", "labels": {"1": "liver"}, "cases": [case]}
    (data / "dataset.json").write_text(json.dumps(values))
    plan: dict[str, Any] = {"name": "r", "system": "omt-sam", "config": {"depth": 5}, "seed": 4}
    recipe = Recipe.from_dict({**plan, "input": {}, "data": [{"name": "tiny"}]})
    with pytest.raises(InputError, match="--measure"):
        train_rows(recipe, "table 3/full", 2, [tmp_path], tmp_path / "x", split="val")
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        train_rows(recipe, "Table 1/MEDSAM", 2, [tmp_path], out)
    made = train_rows(recipe, "table 1/MedSAM", 2, [tmp_path], out, resume=True)
    assert [p.relative_to(out).as_posix() for p in made] == [
        "table_1_medsam/seed_4",
        "table_1_medsam/seed_5",
    ]
    trained = [call for call in calls if len(call) == 3]
    assert [(seed, resume) for seed, _, resume in trained] == [(4, False), (5, False), (5, True)]
    assert trained[0][1]["depth"] == 5 and trained[0][1]["image_text"] is False
    assert [call for call in calls if len(call) == 2] == [("test", ["box only"])] * 2
    assert [(run.row.name, run.seed) for run in find_runs([out]) if run.row] == [
        ("MedSAM", 4),
        ("MedSAM", 5),
    ]


def test_rows_that_are_not_there(tmp_path: Path) -> None:
    plan = {"name": "r", "system": "patch-unet-vae", "config": {}, "input": {}, "data": []}
    with pytest.raises(InputError, match="leave out --row"):
        train_rows(Recipe.from_dict(plan), "table 1/0", 1, [], tmp_path)
    with pytest.raises(InputError, match=r"table 6/\+CBN"):
        find_row("film-unet", "table 6/CBN")
    with pytest.raises(InputError, match="--seeds"):
        train_rows(Recipe.from_dict({**plan, "system": "film-unet"}), None, 0, [], tmp_path)
    assert find_row("film-unet", "table 6/+CBN").folder == "table_6_plus_cbn"
