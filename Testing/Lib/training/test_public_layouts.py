"""Every public layout, indexed as it was downloaded, gives samples to train on and to evaluate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fake_layouts
import numpy as np
import pytest
import torch
from tiny_training import recipe

from TextPromptSegLib.data.datasets import Dataset
from TextPromptSegLib.data.layouts.index import Choices
from TextPromptSegLib.data.layouts.kinds import KINDS, index_layout
from TextPromptSegLib.evaluation.runner import _read_set
from TextPromptSegLib.outcome import InputError
from TextPromptSegLib.training.material import (
    find_dataset,
    gather,
    phrase_book,
    samplers,
    stream_options,
)

# kind -> fake, names of the data sets in the recipes, trained names, sizes of the splits
Fake = Callable[[Path], Path]
LAYOUTS: dict[str, tuple[str, Fake, list[str], set[str], list[tuple[int, int, int]]]] = {
    "btcv": ("btcv", fake_layouts.btcv, ["ct_abdomen_btcv"], {"liver", "kidneys"}, [(4, 1, 1)]),
    "brats": ("brats", fake_layouts.brats, ["brats2021"], {"whole tumor", "edema"}, [(4, 1, 1)]),
    "chaos": (
        "chaos",
        fake_layouts.chaos,
        ["mr_abdomen_chaos", "ct_liver_chaos"],
        {"liver", "spleen", "left kidney"},
        [(9, 3, 3), (3, 1, 1)],
    ),
    "figshare": (
        "figshare",
        fake_layouts.figshare,
        ["mr_brain_tumor_figshare"],
        {"glioma", "meningioma", "pituitary tumor"},
        [(6, 2, 4)],
    ),
    "flare21": ("flare21", fake_layouts.flare, ["flare2021"], {"liver", "kidneys"}, [(4, 1, 1)]),
    "flare22": (
        "flare22",
        lambda root: fake_layouts.flare(root, 2022),
        ["flare2022"],
        {"duodenum", "kidneys"},
        [(4, 1, 1)],
    ),
    "kaggle": (
        "kaggle",
        fake_layouts.kaggle,
        ["mr_brain_tumor_kaggle"],
        {"glioma", "meningioma", "pituitary tumor"},
        [(11, 2, 3)],
    ),
    "mosmed": (
        "mosmed",
        fake_layouts.mosmed,
        ["mosmed_plus"],
        {"pulmonary infection"},
        [(6, 2, 2)],
    ),
    "msd": ("msd", fake_layouts.msd, ["msd_liver"], {"liver", "liver tumor"}, [(4, 1, 1)]),
    "msd-4d": (
        "msd",
        lambda root: fake_layouts.msd(root, frames=2),
        ["msd_prostate"],
        {"prostate"},
        [(4, 1, 1)],
    ),
    "qata": ("qata", fake_layouts.qata, ["qata_cov19"], {"COVID-19 infection"}, [(6, 2, 3)]),
}


def test_no_layout_is_left_out() -> None:
    assert {kind for kind, *_ in LAYOUTS.values()} == set(KINDS)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_download_is_trained_on_and_evaluated(layout: str, tmp_path: Path) -> None:
    kind, write, names, trained, sizes = LAYOUTS[layout]
    folder = write(tmp_path / "as downloaded")
    made = index_layout(kind, folder, Choices())
    assert [one.dataset.name for one in made] == names
    for one, size in zip(made, sizes, strict=True):
        dataset = Dataset.read(one.path.parent)
        assert tuple(len(dataset.split(s)) for s in ("train", "val", "test")) == size
        if kind not in ("mosmed", "kaggle"):
            patients = {c.patient: c.split for c in dataset.cases if c.patient}
            assert all(patients.get(c.patient, c.split) == c.split for c in dataset.cases)
        asked = _read_set(one.path.parent, "test", None, None)
        assert asked.cases
        for case in asked.cases[:2]:
            volume = case.volume()
            assert volume.modality == dataset.modality and volume.array.std() >= 0
            for name in case.known_names():
                assert case.mask(name).shape == volume.shape
                assert case.mask(name).any() == case.is_present(name)
    # the folder above the index, by the name in the recipe
    plan = recipe({}, data=[{"name": name} for name in names], steps=1)
    roots = sorted({one.path.parent.parent for one in made})
    material = gather(plan, roots)
    assert trained <= set(material.modalities) and material.validation
    assert all(item.masks for item in material.train[1:2]) and material.train[0].dataset in names
    sampler = samplers(plan, material)[0]
    drawn = sampler.draw(2, np.random.default_rng(0))
    pairs = sampler.pairs(drawn, 4, np.random.default_rng(0))
    assert all(pair.name in material.modalities for pair in pairs)
    assert phrase_book(plan).draw(pairs[0].name, np.random.default_rng(0))
    assert stream_options(plan)["augment"] is None
    shown = next(item for item in material.train if item.masks)
    assert torch.from_numpy(shown.channels()).float().std() > 0


def test_a_data_set_is_found_by_its_name_in_the_index(tmp_path: Path) -> None:
    """BTCV was indexed, and then refused for the name of its folder."""
    root = fake_layouts.btcv(tmp_path / "Abdomen", 4)
    index_layout("btcv", root)
    for place in (root, root / "RawData", root / "RawData/Training"):
        assert find_dataset("ct_abdomen_btcv", [place]).name == "ct_abdomen_btcv"
    assert find_dataset("Training", [root / "RawData"]).cases[0].dataset.name == "Training"
    index_layout("btcv", fake_layouts.btcv(tmp_path / "again", 4))
    with pytest.raises(InputError, match="Two data sets are called 'ct_abdomen_btcv'"):
        find_dataset("ct_abdomen_btcv", [root, tmp_path / "again"])
    with pytest.raises(InputError, match="'liver' was not found; give its folder with --data"):
        find_dataset("liver", [root])
