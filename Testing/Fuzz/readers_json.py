"""The readers of everything that is no image: checkpoints, lists, recipes, messages, prompts."""

from __future__ import annotations

import hashlib
import io
import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import seeds
from hypothesis import strategies as st
from mutations import damaged, odd_json, sentences
from readers import Reader, seeds_of

ROOT = Path(__file__).resolve().parents[2]
_PIECES: dict[str, Any] = {}


def _tiny() -> dict[str, bytes]:
    """Files of a tiny checkpoint."""
    if "tiny" not in _PIECES:
        import tempfile

        from tiny_checkpoint import save_tiny

        with tempfile.TemporaryDirectory() as folder:
            save_tiny(Path(folder, "tiny"))
            _PIECES["tiny"] = {p.name: p.read_bytes() for p in Path(folder, "tiny").iterdir()}
    found: dict[str, bytes] = _PIECES["tiny"]
    return found


def _json_of(name: str) -> Callable[[], list[Any]]:
    return lambda: [json.loads(_tiny()[name])]


# ---- checkpoints ----


class _Words:
    """A text encoder of one number."""

    dim, max_tokens = 1, 8


def _config(data: bytes, folder: Path) -> object:
    """A config.json: listed, shown, loaded."""
    from TextPromptSegLib.checkpoints import catalogue, layout
    from TextPromptSegLib.inference import loaded_checkpoint

    os.environ["TEXTPROMPTSEG_HOME"] = str(folder)
    here = folder / "checkpoints" / "odd"
    here.mkdir(parents=True, exist_ok=True)
    for name, content in _tiny().items():
        (here / name).write_bytes(content)
    (here / "config.json").write_bytes(data)
    rows = catalogue.list_models()  # never an exception: one bad folder costs one line
    assert any(row.name == "odd" for row in rows)
    catalogue.show("odd").to_dict()
    layout.input_spec(layout.read_config(here))
    return loaded_checkpoint.load(here, text_encoder=_Words())


def _weights(data: bytes, folder: Path) -> object:
    """A model.safetensors whose sha256 is the one that the configuration names."""
    from TextPromptSegLib.inference import loaded_checkpoint

    config = {
        **json.loads(_tiny()["config.json"]),
        "weights_sha256": hashlib.sha256(data).hexdigest(),
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").write_bytes(data)
    return loaded_checkpoint.load(folder, text_encoder=_Words())


def _zip(data: bytes, folder: Path) -> object:
    from TextPromptSegLib.checkpoints import catalogue

    os.environ["TEXTPROMPTSEG_HOME"] = str(folder / "home")
    (folder / "a.zip").write_bytes(data)
    return catalogue.import_path(folder / "a.zip", overwrite=True)


# ---- data sets, recipes, reports, lists ----


def _table(data: bytes, folder: Path) -> object:
    from TextPromptSegLib.data.layouts.tables import read_table

    (folder / "a.xlsx").write_bytes(data)
    return read_table(folder / "a.xlsx")


def _matlab(data: bytes, folder: Path) -> object:
    from TextPromptSegLib.data.layouts.figshare import find_figshare
    from TextPromptSegLib.data.layouts.index import Choices

    (folder / "1.mat").write_bytes(data)
    return find_figshare(folder, Choices())


_DATASET = {
    "name": "set", "modality": "CT", "labels": {"1": "liver", "2": "spleen"},
    "groups": {"both": ["liver", "spleen"]},
    "cases": [
        {"id": "a", "patient": "p", "split": "train", "image": "i.nii", "label": "l.nii",
         "present": ["liver"]},
        {"id": "b", "split": "test", "image": ["i.nii", "i.nii"], "label": {"spleen": "l.nii"},
         "present": ["spleen"], "annotated": ["spleen"], "text": "a text"},
    ],
}  # fmt: skip


def _dataset(data: bytes, folder: Path) -> object:
    from TextPromptSegLib.data.datasets import Dataset

    (folder / "dataset.json").write_bytes(data)
    for name in ("i.nii", "l.nii"):
        (folder / name).write_bytes(seeds_of(seeds.nifti)[0])
    found = Dataset.read(folder)
    for case in found.cases:
        for name in case.known_names():
            case.is_present(name)
            case.mask(name)
        case.label_arrays()
        case.volume()
    return found.is_open, found.split("test")


def _recipes() -> list[Any]:
    files = sorted((ROOT / "TextPromptSegLib" / "systems").rglob("recipe*.json"))
    return [json.loads(file.read_text(encoding="utf-8")) for file in files]


def _recipe(data: bytes, folder: Path) -> object:
    from TextPromptSegLib.systems.registry import make_config
    from TextPromptSegLib.training.material import batch_plan, stream_options
    from TextPromptSegLib.training.recipe import Recipe

    (folder / "r.json").write_bytes(data)
    recipe = Recipe.read(folder / "r.json")
    recipe.text_spec()
    batch_plan(recipe)
    stream_options(recipe)
    return make_config(recipe.system, {"text_dim": 384, **recipe.config})


_RECORD = {
    "status": "done", "fingerprint": "x", "case_seconds": 1.0, "prompts": [{"name": "liver"}],
    "provenance": {}, "outputs": ["a.seg.nrrd", "a.png"],
    "files": {"a.seg.nrrd": {"bytes": 1, "sha256": "x"}, "a.png": {"bytes": 1, "sha256": "x"}},
}  # fmt: skip


def _record(data: bytes, folder: Path) -> object:
    """A record of an earlier batch, and the list of files of an earlier label map."""
    from TextPromptSegLib.formats.side_files import stale_files
    from TextPromptSegLib.jobs import batch, batch_case, outputs
    from TextPromptSegLib.jobs.cases import Case, find_cases

    (folder / "a.nii").write_bytes(seeds_of(seeds.nifti)[0])
    (folder / "a.report.json").write_bytes(data)
    (folder / "a.labels.json").write_bytes(data)
    (folder / "a.seg.nrrd").write_bytes(b"x")
    job = batch.BatchJob((), folder)
    case = Case("a", folder / "a.nii")
    batch.finished_before(case, job)
    batch_case.earlier_files(case, job)
    outputs._stale(job.outputs(case), [], None)
    stale_files(folder / "a.nii.gz")
    return find_cases(folder)


def _list(data: bytes, folder: Path) -> object:
    from TextPromptSegLib.jobs.cases import find_cases, fingerprint

    (folder / "a.nii").write_bytes(seeds_of(seeds.nifti)[0])
    (folder / "list.txt").write_bytes(data)
    return [fingerprint(case, {}) for case in find_cases(folder / "list.txt")]


def _report(data: bytes, folder: Path) -> object:
    from TextPromptSegLib.evaluation.report import Report

    (folder / "report.json").write_bytes(data)
    return Report.read(folder / "report.json")


_REPORT = {
    "format": 1, "split": "test", "created": "2026-01-01", "version": "0", "tolerance": {},
    "models": [], "datasets": [], "rows": [], "times": [], "failures": [],
}  # fmt: skip

# ---- messages ----

_REQUESTS: list[Any] = [
    {"type": "configure", "id": 1, "folders": ["/nowhere"]},
    {"type": "ping", "id": 2},
    {"type": "load", "id": 3, "model": "fake", "device": "cpu"},
    {"type": "segment", "id": 4, "model": "fake", "device": "cpu", "prompts": [{"text": "liver"}],
     "volume": {"key": "v", "array": {"path": "/x/y", "dtype": "<i2", "shape": [1, 2, 3]},
                "ijk_to_ras": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]],
                "modality": "CT", "name": "", "meta": {"notes": []}},
     "region": {"roi": None, "slices": [0, 2], "plane": "axial"}, "want": ["mask"],
     "hints": {"box": [0, 1, 0, 1, 0, 1], "points": [[1, 2, 3, 1]]}, "threshold": 0.5},
    {"type": "cancel", "id": 5},
    {"type": "unload", "id": 6},
]  # fmt: skip


def _worker(data: bytes, folder: Path) -> object:
    """A worker that gets a request, and then one that it must still answer."""
    from fake_predictor import FakePredictor

    from TextPromptSegLib.files.messages import read_message
    from TextPromptSegLib.worker.server import Server

    ping = json.dumps({"type": "ping", "id": 77}).encode()
    source = io.BytesIO(b"".join(struct.pack(">I", len(b)) + b for b in (data, ping)))
    target, ended = io.BytesIO(), []
    server = Server(source, target, FakePredictor.load, lambda: ended.append(True))
    (folder / "shared").mkdir()
    server._handle("configure", {"folders": [str(folder / "shared")]})
    server.run()
    assert ended, "the reading thread died"
    target.seek(0)
    answers = []
    while (answer := read_message(target)) is not None:
        answers.append(answer)
    return answers


_ANSWERS: list[Any] = [
    {"type": "hello", "protocol": 1, "pid": 1},
    {"type": "progress", "id": 1, "done": 1, "total": 2, "message": "x"},
    {"type": "error", "id": 1, "kind": "InputError", "message": "x"},
    {"type": "cancelled", "id": 1},
    {"type": "result", "id": 1, "seconds": {}, "device": "cpu", "segmentations": [
        {"prompt": {"text": "liver", "name": "liver"}, "outcome": "found", "shape": [1, 2, 3],
         "cut": [0, 0, 1], "mask": {"path": "/x/y", "dtype": "|u1", "shape": [1, 2, 3]},
         "probability": None, "candidates": [], "seconds": 1.0, "max_probability": 1.0,
         "voxels": 1, "volume_ml": 1.0, "threshold": 0.5, "message": "", "provenance": {}}]},
]  # fmt: skip


def _client(data: bytes, folder: Path) -> object:
    """A client that gets an answer: its job ends, or goes on waiting, but nothing is raised."""
    from TextPromptSegLib.files.messages import read_message
    from TextPromptSegLib.worker.arrays import ArrayStore
    from TextPromptSegLib.worker.client import WorkerClient
    from TextPromptSegLib.worker.jobs import Job

    message = read_message(io.BytesIO(struct.pack(">I", len(data)) + data))
    client = WorkerClient(["/nowhere"])
    shared = folder / "shared"
    shared.mkdir()
    client._store = ArrayStore([str(shared)])
    (shared / "y").write_bytes(bytes(6))
    text = json.dumps(message).replace('"/x/y"', json.dumps(str(shared / "y")))
    job = client._running = Job(1, {"type": "segment"}, state="running")
    client._on_message(json.loads(text))
    return job.state


# ---- prompts ----


def _words() -> list[str]:
    from TextPromptSegLib.prompting.vocabulary import Vocabulary

    return Vocabulary.load().names()[:400]


def _prompt(data: bytes, _folder: Path) -> object:
    from TextPromptSegLib.prompting.prompts import parse_prompts
    from TextPromptSegLib.worker import wire

    prompts = parse_prompts(data.decode("utf-8", "surrogatepass"))
    for prompt in prompts:
        prompt.describe()
        assert (
            wire.prompt_from_dict(json.loads(json.dumps(wire.prompt_to_dict(prompt)))) is not None
        )
    return prompts


def _trees(make: Callable[[], list[Any]]) -> Callable[[], st.SearchStrategy[bytes]]:
    return lambda: odd_json(make())


OTHERS: dict[str, Reader] = {
    "config.json": Reader(_trees(_json_of("config.json")), _config),
    "safetensors": Reader(lambda: damaged([_tiny()["model.safetensors"]], 2000), _weights),
    "zip": Reader(lambda: damaged(seeds_of(seeds.zips), 1 << 20), _zip),
    "dataset.json": Reader(_trees(lambda: [_DATASET]), _dataset),
    "table": Reader(lambda: damaged(seeds_of(seeds.tables), 1 << 16), _table),
    "matlab": Reader(lambda: damaged(seeds_of(seeds.slices), 1 << 16), _matlab),
    "recipe": Reader(_trees(_recipes), _recipe),
    "record": Reader(_trees(lambda: [_RECORD, {"files": ["a_layer2.nii.gz"]}]), _record),
    "report": Reader(_trees(lambda: [_REPORT]), _report),
    "list": Reader(lambda: damaged([b"# all\na.nii\n\"b.nii\"\n../x\n", b"~/a.nii\n."], 64), _list),
    "worker": Reader(_trees(lambda: _REQUESTS), _worker),
    "client": Reader(_trees(lambda: _ANSWERS), _client),
    "prompt": Reader(lambda: sentences(_words()), _prompt),
}  # fmt: skip
