"""Run every row of every paper's tables once, tiny and for a few steps, and write the tables.

It proves the whole way (data, rows, training, measuring, tables, plots), nothing else: networks of
a few thousand weights, three steps, three or four cuts of stand-ins for the papers' data sets.

    python Testing/Tools/reduced_papers.py DATA [PAPER ...] [--out FOLDER] [--work FOLDER]
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from TextPromptSegLib import text
from TextPromptSegLib.evaluation import evaluate
from TextPromptSegLib.evaluation.papers.costs import cost_of_run
from TextPromptSegLib.evaluation.papers.maps import draw_maps
from TextPromptSegLib.evaluation.papers.measure import measure_tables
from TextPromptSegLib.evaluation.papers.runs import find_runs, identity, row_of, train_rows
from TextPromptSegLib.evaluation.papers.tables import Paper, read_paper
from TextPromptSegLib.evaluation.papers.writing import write_paper
from TextPromptSegLib.evaluation.ways import measure_pixels
from TextPromptSegLib.inference import loaded_checkpoint
from TextPromptSegLib.systems.registry import folder_of
from TextPromptSegLib.training.recipe import DataEntry, Recipe
from TextPromptSegLib.training.rows import run_folder

FIRST = (
    "A reduced run that proves the way, not a result: networks of a few thousand weights, {steps} "
    "steps, a few cut cases of stand-ins for the paper's data (`Testing/Tools/reduced_papers.py`)."
)
STEPS, SLICES = 3, 6
STATISTICS = "film-unet", "table 3"
"""Rows of this table are run three times, so that there is a spread to show."""
CASES = {"train": 3, "val": 1, "test": 2}


@dataclass(frozen=True)
class Plan:
    """How one recipe of a paper is reduced.

    Attributes:
        data: stand-in for its data sets.
        entry: further values of the data entry.
        config: changes of the network's sizes.
        side: of the input, px.
        text_encoder: in place of the recipe's.
        around: label that volumes are cut around.
        further: changes of the recipe.
    """

    data: str
    config: Mapping[str, Any]
    entry: Mapping[str, Any] = field(default_factory=dict)
    side: int = 64
    text_encoder: str = "minilm"
    around: str = ""
    further: Mapping[str, Any] = field(default_factory=dict)


FILM = {"channels": [8, 8, 16, 16]}
SVP = {
    "in_channels": 1,
    "hidden_sizes": [8, 8, 16, 16],
    "depths": [1, 1, 1, 1],
    "text_dim": 384,
    "text_ffn": 1536,
    "text_layers": 6,
    "text_depths": [2, 4, 6],
    "text_length": 32,
    "lora_layers": 2,
    "lora_rank": 2,
    "heads": 2,
    "z_dim": 4,
    "latent_hidden": 16,
    "mask_grid": 4,
    "head_channels": 4,
    "layer_scale": 1.0,
    "vision_id": None,
    "kl_start": 0.0,
    "kl_end": 1.0,
    "steps_per_epoch": 1,
}
SAM = {
    "image_size": 64,
    "in_channels": 1,
    "patch": 8,
    "embed_dim": 32,
    "depth": 5,
    "heads": 2,
    "window": 3,
    "global_blocks": [1, 4],
    "rel_pos": False,
    "multimask": 0,
    "width": 32,
    "decoder_mlp": 64,
    "score_hidden": 32,
    "text_dim": 384,
    "clip_dim": 384,
    "fusion_heads": 4,
    "start_from": None,
}
UNET = {"channels": [4, 8, 8], "res_units": 1, "text_dim": 384}
PATCH = {"channels": [4, 8, 8], "patch": 16, "latent_channels": 2, "perceptual": "none"}
PATCH = {**PATCH, "critic_channels": 4, "critic_layers": 1, "localiser": {}}
ORGANS = ("liver", "spleen", "pancreas", "kidneys")
OTHERS = ("gallbladder", "esophagus", "stomach", "aorta", "inferior vena cava")
OTHERS = (*OTHERS, "portal and splenic vein", "right adrenal gland", "left adrenal gland")
NO_ADRENAL = ("spleen", "right kidney", "left kidney", "liver", "pancreas", "kidneys", *OTHERS[:6])
FLARE: dict[str, Any] = {"drop": [*OTHERS, "adrenal glands", "right kidney", "left kidney"]}
CXR = {"text_for": ["lung opacity"], "drop": ["right lung", "left lung", "lungs", "airways"]}

PLANS: dict[tuple[str, str], Plan] = {
    ("film-unet", "recipe_paper_brain.json"): Plan("mr_brain_tumor_figshare", FILM),
    ("film-unet", "recipe_paper_chaos.json"): Plan("mr_abdomen_chaos", FILM),
    ("film-unet", "recipe_paper_chaos_ct.json"): Plan("ct_liver_chaos", FILM),
    ("svp-cvae", "recipe_paper_qata.json"): Plan("cxr_covid_gb", SVP, CXR),
    ("svp-cvae", "recipe_paper_mosmed.json"): Plan("ct_chest_covid", SVP),
    ("svp-cvae", "recipe_paper_brats.json"): Plan("mr_brain_tumor_brats2013", SVP, around="edema"),
    ("svp-cvae", "recipe_paper_liver.json"): Plan("ct_liver_chaos", SVP),
    ("omt-sam", "recipe_paper_flare.json"): Plan(
        "ct_abdomen_btcv", SAM, FLARE, text_encoder="clip-compact", around="pancreas"
    ),
    ("monai-unet", "recipe_paper_flare.json"): Plan(
        "ct_abdomen_btcv", UNET, FLARE, around="pancreas"
    ),
    ("monai-unet", "recipe_paper_qata.json"): Plan(
        "cxr_covid_gb", {**UNET, "names": ["lung opacity"]}, {"drop": CXR["drop"]}
    ),
    ("monai-unet", "recipe_paper_mosmed.json"): Plan("ct_chest_covid", UNET),
    ("patch-unet-vae", "recipe_paper_adrenal.json"): Plan(
        "ct_abdomen_btcv",
        PATCH,
        {"drop": [n for n in NO_ADRENAL if "adrenal" not in n] + ["adrenal glands"]},
        side=256,
        around="left adrenal gland",
        further={
            "trainer": {
                "ratios": [0, 0.25, 0.5, 0.75, 1],
                "warmup": 1,
                "checks": 8,
                "figures": 3,
                "patches": {"size": 16, "jitter": 4, "margin": 4, "batch": 8, "foreign": 0},
            }
        },
    ),
}


def reduce_data(source: Path, target: Path, around: str) -> None:
    """Copy a few cases of a data set, volumes cut to a few slices around a label."""
    values = json.loads((source / "dataset.json").read_text(encoding="utf-8"))
    numbers = {name: int(value) for value, name in values["labels"].items()}
    kept = []
    for split, count in CASES.items():
        usable = [c for c in values["cases"] if c["split"] == split and c["present"]]
        usable = [c for c in usable if c.get("text")] or usable
        seen: set[str] = set()
        for _ in range(min(count, len(usable))):  # each the one that shows most that is new
            best = max(usable, key=lambda c: len(set(c["present"]) - seen))
            usable.remove(best)
            seen |= set(best["present"])
            kept.append(best)
    for case in kept:
        images = case["image"] if isinstance(case["image"], list) else [case["image"]]
        case["image"] = images[0]
        files = [case["image"]]
        label = case["label"]
        files += list(label.values()) if isinstance(label, dict) else [label]
        span = None
        if around and not isinstance(label, dict):
            drawn = sitk.GetArrayFromImage(sitk.ReadImage(str(source / label)))
            inside = np.flatnonzero((drawn == numbers[around]).any((1, 2)))
            middle = int(inside[len(inside) // 2])
            first = min(max(0, middle - SLICES // 2), max(0, len(drawn) - SLICES))
            span = first, min(len(drawn), first + SLICES)
            there = set(np.unique(drawn[span[0] : span[1]]).tolist())
            case["present"] = [name for name, number in numbers.items() if number in there]
        for file in files:
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            if span is None:
                shutil.copyfile(source / file, target / file)
            else:
                image = sitk.ReadImage(str(source / file))[:, :, span[0] : span[1]]
                sitk.WriteImage(image, str(target / file))
    values["cases"] = kept
    (target / "dataset.json").write_text(json.dumps(values), encoding="utf-8")


def reduced_recipe(system: str, file: str, plan: Plan) -> Recipe:
    """Return a paper's recipe with a tiny network, three steps and the stand-in's data."""
    recipe = Recipe.read(folder_of(system) / file)
    entry = DataEntry(name=plan.data, region=recipe.data[0].region, **plan.entry)
    inputs = {**recipe.input, "size": plan.side, "in_channels": 1}
    inputs["ct_windows"] = inputs["ct_windows"][:1]
    inputs["multiple"] = plan.side if system == "omt-sam" else 32
    inputs.pop("max_upsampling", None)
    if "spacing_mm" in inputs:
        inputs["spacing_mm"] = 1.6
    if "canvases" in inputs:
        inputs["canvases"] = [plan.side]
    few = {"slices": 2, "pairs": 4, "questions": 0}
    values: dict[str, Any] = {
        "config": {**recipe.config, **plan.config},
        "input": inputs,
        "data": (entry,),
        "text_encoder": plan.text_encoder,
        "steps": STEPS,
        "epochs": 0,
        "batch": {**few, **{k: v for k, v in recipe.batch.items() if k == "texts"}},
        "warmup": 0,
        "precision": "32-true",
        "compile": False,
        "workers": 0,
        "calibrate": False,
        "validate_every": STEPS,
        "validation_slices": 2,
        **plan.further,
    }
    return replace(recipe, **values)


def read_encoders_once() -> None:
    """Keep the text encoders in memory: reading them takes longer than a run of three steps."""
    load_once = cache(lambda spec: text.loading.load_text_encoder(json.loads(spec)))

    def load_text_encoder(spec: Mapping[str, Any], **options: Any) -> Any:
        return load_once(json.dumps(spec, sort_keys=True))

    text.load_text_encoder = load_text_encoder
    loaded_checkpoint.load_text_encoder = load_text_encoder


def run_paper(
    paper: Paper, data: Path, source: Path, work: Path, out: Path, most: int | None
) -> None:
    """Train and measure every different row of a paper, and write its tables.

    Args:
        most: rows of each table to train, the last ones; None = all.
    """
    done: set[str] = set()
    for name_of_table, table in paper.tables.items():
        found = 0
        for name in reversed(table.rows):  # the whole network stands in the last row
            row = row_of(paper, table, name)
            system = paper.system if row is None else row.system
            if table.kind == "cost" or (row is None and table.kind != "patches"):
                continue
            key = str(identity(paper, table, row)) if row else table.recipe
            found += 1
            if key in done or (most is not None and found > most):
                continue
            done.add(key)
            plan = PLANS[system, table.recipe]
            place = data / f"{plan.around or 'whole'}" / plan.data
            if not (place / "dataset.json").is_file():
                reduce_data(source / plan.data, place, plan.around)
            recipe = reduced_recipe(system, table.recipe, plan)
            runs = work / paper.system / Path(table.recipe).stem
            if row is None:
                runs = runs / "study"
            wanted = None if row is None else row.title
            print(f"{paper.system}: {wanted or 'study'}", flush=True)
            seeds = 3 if (paper.system, name_of_table) == STATISTICS else 1
            train_rows(
                recipe, wanted, seeds, [place], runs, resume=runs.is_dir(), progress_bar=False
            )
            if row is not None and (row.table, row.name) == ("table 3", "Dice"):
                zero_shot(run_folder(runs, row, recipe.seed), recipe, data, source)
    runs = find_runs([work / paper.system])
    measured = measure_tables(paper, runs, cost_of_run("cpu"))
    roots = [place.parent for place in data.glob("*/*/dataset.json")]
    maps = partial(draw_maps, data=roots)
    first = FIRST.format(steps=STEPS)
    # pictures of patches and maps show the data: they are drawn, and stay out of the example
    write_paper(paper, measured, runs, work / paper.system / "tables", first_line=first, maps=maps)
    shutil.rmtree(out, ignore_errors=True)
    write_paper(paper, measured, runs, out, first_line=first, patches=False)


def zero_shot(run: Path, recipe: Recipe, data: Path, source: Path) -> None:
    """Ask a run for the tumor of a data set that it was not trained on."""
    place = data / "edema" / "mr_brain_tumor_brats2013"
    if not (place / "dataset.json").is_file():
        reduce_data(source / place.name, place, "edema")
    if not (run / "zero_shot").is_dir():
        evaluate(
            [str(run / recipe.name)],
            [place],
            report_dir=run / "zero_shot",
            prompts={"whole tumor": "glioma"},
            extras=[measure_pixels],
        )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("papers", nargs="*")
    parser.add_argument("--out", type=Path, default=Path("Resources/Docs/papers"))
    parser.add_argument("--work", type=Path, help="kept; a second call goes on there")
    parser.add_argument("--rows", type=int, help="only the last so many rows of each table")
    asked = parser.parse_args()
    read_encoders_once()
    names = asked.papers or ["film-unet", "patch-unet-vae", "omt-sam", "svp-cvae"]
    with tempfile.TemporaryDirectory() as temporary:
        work = asked.work or Path(temporary)
        for name in names:
            out = asked.out / name
            run_paper(read_paper(name), work / "data", asked.data, work / "runs", out, asked.rows)
            print(f"wrote {out}", flush=True)


if __name__ == "__main__":
    main()
