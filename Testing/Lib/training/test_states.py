"""The best and the last state of a run: what is exported, and where a killed run goes on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_data import write_dataset
from tiny_training import make_encoder, recipe
from torch.optim.swa_utils import AveragedModel

from TextPromptSegLib.checkpoints.layout import read_config
from TextPromptSegLib.checkpoints.weights import load_weights
from TextPromptSegLib.outcome import InputError
from TextPromptSegLib.systems.registry import create
from TextPromptSegLib.training import train
from TextPromptSegLib.training.module import ALARM_COST, SegmenterModule, rate_factor
from TextPromptSegLib.training.state_files import LAST, read_state, write_state
from TextPromptSegLib.training.states import BEST, LOG, AveragedWeights

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        yield make_encoder(tmp_path_factory.mktemp("encoders"), patch)


def exported(folder: Path, config: Any) -> dict[str, torch.Tensor]:
    network = create("film-unet", {"text_dim": 24, **config})
    load_weights(network, folder / "model.safetensors", "tiny")
    return network.state_dict()


@pytest.mark.parametrize("ema", [0.0, 0.5])
def test_a_run_that_gets_worse_exports_its_best(
    tmp_path: Path, encoder: Any, monkeypatch: pytest.MonkeyPatch, ema: float
) -> None:
    write_dataset(tmp_path)
    scores = iter([0.3, 0.6, 0.2, 0.1])
    plain = SegmenterModule.on_validation_epoch_end

    def worse(self: SegmenterModule) -> None:
        plain(self)
        self.log("val/score", next(scores))

    monkeypatch.setattr(SegmenterModule, "on_validation_epoch_end", worse)
    plan = recipe(encoder, steps=16, validate_every=4, ema=ema)
    folder = train(plan, [tmp_path], tmp_path / "run", progress_bar=False)
    best, last = read_state(tmp_path / "run" / BEST), read_state(tmp_path / "run" / LAST)
    assert (best["global_step"], last["global_step"]) == (8, 16)
    assert read_config(folder)["metrics"]["validation"]["step"] == 8
    weights = exported(folder, plan.config)
    key = next(k for k in weights if weights[k].ndim == 4)
    wanted, other = (s["state_dict"][f"network.{key}"] for s in (best, last))
    assert torch.allclose(weights[key], wanted, atol=2e-3)
    assert not torch.allclose(weights[key], other, atol=2e-3)


KILLED = """
import os, signal, sys
sys.path[:0] = {paths!r}
from TextPromptSegLib.torchvision_operators import declare_torchvision_operators
declare_torchvision_operators()
from tiny_training import recipe
from TextPromptSegLib.training import module, train
step = module.SegmenterModule.training_step
def killed(self, batch, index):
    if self.trainer.global_step == {kill}:
        os.kill(os.getpid(), signal.SIGKILL)
    return step(self, batch, index)
module.SegmenterModule.training_step = killed
train(recipe({encoder!r}, steps=20, save_every=5, validate_every=10), [{data!r}], {out!r},
      progress_bar=False, resume={resume})
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_a_killed_run_ends_as_one_that_was_not(tmp_path: Path, encoder: Any) -> None:
    write_dataset(tmp_path)
    paths = [str(ROOT), str(ROOT / "Testing" / "Lib" / "support")]
    out = tmp_path / "killed"

    def run(folder: Path, kill: int, resume: bool = False) -> int:
        """Train in a process of its own: every part of the run computes in the same way."""
        values = {"encoder": encoder, "data": str(tmp_path), "out": str(folder)}
        code = KILLED.format(paths=paths, kill=kill, resume=resume, **values)
        return subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False).returncode

    assert run(tmp_path / "whole", kill=-1) == 0
    assert run(out, kill=13) == -signal.SIGKILL
    assert read_state(out / LAST)["global_step"] == 10
    assert run(out, kill=-1, resume=True) == 0
    whole, again = read_state(tmp_path / "whole" / LAST), read_state(out / LAST)
    assert whole["global_step"] == again["global_step"] == 20
    for key, value in whole["state_dict"].items():
        assert torch.allclose(value, again["state_dict"][key], atol=1e-5), key
    lines = (out / LOG).read_text().splitlines()
    assert sum("step 10 of 20: start" in line for line in lines) == 1
    assert any("val_set/tiny" in line for line in lines)


def test_a_state_appears_whole_whatever_the_folder_for_temporary_files_is(
    tmp_path: Path, encoder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_dataset(tmp_path)
    plan = recipe(encoder, steps=4, validate_every=4)
    # a file from there would be copied, not renamed, where it is another disk
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    train(plan, [tmp_path], tmp_path / "run", progress_bar=False)
    assert read_state(tmp_path / "run" / LAST)["global_step"] == 4
    assert read_state(tmp_path / "run" / BEST)["global_step"] == 4
    assert not list((tmp_path / "run").glob(".*"))


class Certain(torch.nn.Module):
    """Sees everything everywhere."""

    def encode_image(self, images: torch.Tensor) -> torch.Tensor:
        return images

    def index_features(self, features: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
        return features[index]

    def decode(self, features: torch.Tensor, text: Any) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.ones_like(features), torch.ones(len(features))


def test_the_score_is_the_mean_over_data_sets_less_what_false_alarms_cost() -> None:
    module = SegmenterModule(Certain(), recipe({"id": "x"}))  # type: ignore[arg-type]
    logged: dict[str, float] = {}
    module.log = lambda key, value, **_: logged.update({key: value})  # type: ignore[assignment]
    whole, half, none = torch.ones(1, 4, 4), torch.zeros(1, 4, 4), torch.zeros(1, 4, 4)
    half[:, :2] = 1
    rows = [("a", "liver", whole), ("a", "spleen", half), ("b", "liver", half)]
    rows += [("a", "aorta", none), ("b", "aorta", none), ("c", "aorta", none)]
    batch = {
        "image": torch.zeros(1, 1, 4, 4),
        "valid": torch.ones(1, 1, 4, 4),
        "index": torch.zeros(6, dtype=torch.long),
        "text": type("Text", (), {"index": lambda self, rows: self})(),
        "mask": torch.stack([mask for _, _, mask in rows]),
        "present": torch.tensor([float(mask.any()) for _, _, mask in rows]),
        "dataset": [name for name, _, _ in rows],
        "names": [name for _, name, _ in rows],
    }
    module.validation_step(batch, 0)
    module.on_validation_epoch_end()
    two_thirds = 2 * 8 / (16 + 8)
    assert logged["val_set/a"] == pytest.approx((1 + two_thirds) / 2)
    assert logged["val_set/b"] == pytest.approx(two_thirds)
    assert logged["val/dice"] == pytest.approx((logged["val_set/a"] + two_thirds) / 2)
    assert logged["val/false_alarms"] == logged["val_alarms/a"] == logged["val_alarms/c"] == 1
    assert logged["val/score"] == pytest.approx(logged["val/dice"] - ALARM_COST)


CUT = """
import os, signal, sys
sys.path[:0] = {paths!r}
from pathlib import Path
import torch
from TextPromptSegLib.training.state_files import write_state
write_state(Path({path!r}), {{"step": 1, "weights": torch.ones(100_000)}})
os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)
write_state(Path({path!r}), {{"step": 2, "weights": torch.ones(100_000)}})
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_a_kill_in_the_middle_of_saving_leaves_the_state_before(tmp_path: Path) -> None:
    path = tmp_path / LAST
    code = CUT.format(paths=[str(ROOT)], path=str(path))
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -signal.SIGKILL
    assert read_state(path)["step"] == 1 and len(list(tmp_path.iterdir())) == 2
    write_state(path, {"step": 3})
    assert read_state(path)["step"] == 3 and len(list(tmp_path.iterdir())) == 1


def test_export_only_leaves_the_run_alone(tmp_path: Path, encoder: Any) -> None:
    write_dataset(tmp_path)
    plan = recipe(encoder, steps=20, validate_every=10)
    run = tmp_path / "run"
    train(plan, [tmp_path], run, progress_bar=False)
    before = (run / LAST).read_bytes()
    folder = train(plan, [tmp_path], run, export_only=True, progress_bar=False)
    assert read_config(folder)["metrics"]["validation"]["step"] in (10, 20)
    assert (run / LAST).read_bytes() == before
    with pytest.raises(InputError, match="no run"):
        train(plan, [tmp_path], tmp_path / "none", export_only=True)


def test_a_run_with_averaged_weights_goes_on_as_if_it_had_never_ended(
    tmp_path: Path, encoder: Any
) -> None:
    write_dataset(tmp_path)
    same = {"schedule": "trapezoid", "decay": 0.1, "ema": 0.9, "validate_every": 6}
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train(recipe(encoder, steps=16, **same), [tmp_path], whole, progress_bar=False)
    first = recipe(encoder, steps=10, **{**same, "decay": 0.0})
    train(first, [tmp_path], parts, progress_bar=False)
    ended = read_state(parts / LAST)  # at a step that was neither validated nor saved before
    key = next(k for k, v in ended["state_dict"].items() if v.ndim == 4)
    assert not torch.equal(ended["state_dict"][key], ended["current_model_state"][key])
    train(recipe(encoder, steps=16, **same), [tmp_path], parts, resume=True, progress_bar=False)
    once, twice = read_state(whole / LAST), read_state(parts / LAST)
    for kind in ("state_dict", "current_model_state"):
        for key, value in once[kind].items():
            assert torch.allclose(value, twice[kind][key], atol=1e-5), key
    log = (parts / LOG).read_text()
    assert "steps is now 16, was 10" in log and "decay is now 0.1, was 0.0" in log


def test_a_resumed_run_learns_at_the_rate_of_its_recipe(tmp_path: Path, encoder: Any) -> None:
    write_dataset(tmp_path)
    run = tmp_path / "run"
    same = {"schedule": "trapezoid", "decay": 0.0, "validate_every": 4}
    train(recipe(encoder, steps=8, **same), [tmp_path], run, progress_bar=False)
    changed = recipe(encoder, steps=12, lr=0.002, min_lr=0.002, weight_decay=0.3, **same)
    train(changed, [tmp_path], run, resume=True, progress_bar=False)
    groups = read_state(run / LAST)["optimizer_states"][0]["param_groups"]
    assert [group["lr"] for group in groups] == pytest.approx([0.002, 0.002])
    assert [group["weight_decay"] for group in groups] == [0.3, 0.0]


def test_steps_cannot_be_added_once_the_rate_goes_down(tmp_path: Path, encoder: Any) -> None:
    write_dataset(tmp_path)
    same = {"schedule": "trapezoid", "decay": 0.5, "validate_every": 4}
    train(recipe(encoder, steps=8, **same), [tmp_path], tmp_path / "run", progress_bar=False)
    with pytest.raises(InputError, match="goes down since step 4"):
        train(recipe(encoder, steps=20, **same), [tmp_path], tmp_path / "run", resume=True)


STOPPED = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a process of a background job ignores it
sys.path[:0] = {paths!r}
from TextPromptSegLib.torchvision_operators import declare_torchvision_operators
declare_torchvision_operators()
from tiny_training import recipe
from TextPromptSegLib.outcome import Cancelled
from TextPromptSegLib.training import module, train
step = module.SegmenterModule.validation_step
def stopped(self, batch, index):
    if self.trainer.global_step == 8:
        os.kill(os.getpid(), signal.SIGINT)
    return step(self, batch, index)
module.SegmenterModule.validation_step = stopped
try:
    train(recipe({encoder!r}, steps=12, validate_every=4, ema=0.9, save_every=6), [{data!r}],
          {out!r}, progress_bar=False)
except Cancelled:
    sys.exit(130)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to oneself")
def test_an_interrupted_validation_leaves_the_state_before(tmp_path: Path, encoder: Any) -> None:
    write_dataset(tmp_path)
    out = tmp_path / "run"
    paths = [str(ROOT), str(ROOT / "Testing" / "Lib" / "support")]
    code = STOPPED.format(paths=paths, encoder=encoder, data=str(tmp_path), out=str(out))
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 130
    assert read_state(out / LAST)["global_step"] == 6


def test_a_run_of_other_sizes_is_not_resumed(tmp_path: Path, encoder: Any) -> None:
    write_dataset(tmp_path)
    plan = recipe(encoder, steps=4, validate_every=4)
    train(plan, [tmp_path], tmp_path / "run", progress_bar=False)
    config = {**plan.config, "channels": [8, 16, 24]}
    with pytest.raises(InputError, match="another config"):
        train(recipe(encoder, config=config), [tmp_path], tmp_path / "run", resume=True)


def test_a_state_that_could_run_code_is_refused(tmp_path: Path) -> None:
    class Harm:
        def __reduce__(self) -> Any:
            return print, ("harm",)

    torch.save({"global_step": 3, "state_dict": Harm()}, tmp_path / LAST)
    with pytest.raises(InputError, match="not a state"):
        read_state(tmp_path / LAST)
    with pytest.raises(InputError, match="train first"):
        read_state(tmp_path / "nothing.ckpt")


@pytest.mark.parametrize(
    ("step", "steps", "factor"),
    [(0, 100, 0.1), (9, 100, 1.0), (50, 100, 1.0), (80, 100, 1.0), (90, 100, 0.505)]
    + [(100, 100, 0.01), (90, 200, 1.0)],
)
def test_a_trapezoid_stays_up_until_its_decay(step: int, steps: int, factor: float) -> None:
    plan = recipe({"id": "x"}, schedule="trapezoid", steps=steps, warmup=10, lr=0.01, min_lr=0.0001)
    assert rate_factor(plan, step) == pytest.approx(factor)


def test_an_unknown_schedule_is_refused() -> None:
    with pytest.raises(InputError, match="cosine, trapezoid"):
        recipe({"id": "x"}, schedule="steps")


INTERRUPTED = """
import os, signal, sys
sys.path[:0] = {paths!r}
from TextPromptSegLib.torchvision_operators import declare_torchvision_operators
declare_torchvision_operators()
from TextPromptSegLib.cli import main
from TextPromptSegLib.training import module
step = module.SegmenterModule.training_step
def stopped(self, batch, index):
    if self.trainer.global_step == 3:
        os.kill(os.getpid(), signal.SIGINT)
    return step(self, batch, index)
module.SegmenterModule.training_step = stopped
sys.exit(main(["train", {recipe!r}, "--data", {data!r}, "--out", {out!r}]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to oneself")
def test_an_interrupted_run_says_how_to_go_on(tmp_path: Path, encoder: Any) -> None:
    write_dataset(tmp_path)
    file = tmp_path / "recipe.json"
    file.write_text(json.dumps(recipe(encoder, steps=8, validate_every=8).to_dict()))
    out = tmp_path / "run"
    code = INTERRUPTED.format(paths=[str(ROOT)], recipe=str(file), data=str(tmp_path), out=str(out))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 130, done.stderr
    assert "--resume" in done.stderr + done.stdout
    assert read_state(out / LAST)["global_step"] >= 3


def test_averaged_weights_forget_what_the_network_was_drawn_as() -> None:
    network = torch.nn.Linear(1, 1)
    average = AveragedModel(network, **AveragedWeights(0.999)._kwargs)
    with torch.no_grad():
        network.weight.fill_(100.0)
        average.update_parameters(network)
        network.weight.fill_(1.0)
        for _ in range(100):
            average.update_parameters(network)
    assert average.module.weight.item() == pytest.approx(1.0, abs=1e-3)
    average.n_averaged.fill_(100_000)
    with torch.no_grad():
        network.weight.fill_(2.0)
    average.update_parameters(network)
    assert average.module.weight.item() == pytest.approx(1.001, abs=1e-5)
