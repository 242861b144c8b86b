"""Training slices, derived labels, sampling of pairs, augmentation."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_data import write_dataset

from TextPromptSegLib.data.artefacts import AugmentConfig
from TextPromptSegLib.data.augment import random_affine, swap_sides, warp
from TextPromptSegLib.data.batches import BatchPlan, BatchStream, validation_batches
from TextPromptSegLib.data.datasets import Dataset
from TextPromptSegLib.data.derive import ct_lungs, derived_masks, split_sides
from TextPromptSegLib.data.phrases import PhraseBook
from TextPromptSegLib.data.sampling import ForeignNames, SliceSampler
from TextPromptSegLib.data.slices import NameRules, TrainingSlice, case_slices
from TextPromptSegLib.image.intensity import InputSpec
from TextPromptSegLib.prompting.vocabulary import Vocabulary

SPEC = InputSpec(size=64, multiple=16)


@pytest.fixture
def slices(tmp_path: Path) -> list[TrainingSlice]:
    dataset = Dataset.read(write_dataset(tmp_path))
    return [s for c in dataset.cases for s in case_slices(c, SPEC, NameRules())]


def test_slices_hold_picture_masks_and_absences(slices: list[TrainingSlice]) -> None:
    item = slices[0]
    assert item.image.shape == (1, 64, 64) and item.image.dtype == np.uint8
    assert set(item.masks) == {"right kidney", "liver", "pair"}
    assert item.absent == ("spleen",)
    kidney = item.unpack("right kidney") > 0
    assert item.image[0][kidney].mean() > 200 > item.image[0][~kidney].mean()


def test_aliases_join_names_and_positive_aliases_are_never_absent(tmp_path: Path) -> None:
    dataset = Dataset.read(write_dataset(tmp_path))
    rules = NameRules(
        aliases={"pair": "organs"}, positive_aliases={"spleen": ("organ",), "liver": ("organ",)}
    )
    item = case_slices(dataset.cases[0], SPEC, rules)[0]
    assert (item.unpack("organ") == item.unpack("liver")).all()
    assert "organs" in item.masks and "pair" not in item.masks
    assert "organ" not in item.absent


def test_a_partial_label_is_never_a_negative(slices: list[TrainingSlice]) -> None:
    """The kidney of a case where only the liver was drawn must not be taught as absent."""
    rng = np.random.default_rng(0)
    partial = slices[0]
    partial.masks = {"liver": partial.masks["liver"]}
    partial.absent = ()
    partial.dataset = "liver-only"
    sampler = SliceSampler([partial, *slices[1:]], {}, absent=0.5)
    for _ in range(30):
        batch = sampler.draw(4, rng)
        for pair in [*sampler.pairs(batch, 12, rng), *sampler.questions(batch, 3, rng)]:
            item = batch[pair.row]
            assert pair.present == (pair.name in item.masks)
            assert pair.present or pair.name in item.absent
            if item.dataset == "liver-only":
                assert pair.name == "liver"


def test_foreign_names_are_negatives_by_region(slices: list[TrainingSlice]) -> None:
    foreign = ForeignNames(
        {"glioma": frozenset({"brain"}), "aorta": frozenset({"abdomen", "chest"})},
        {"tiny": "abdomen"},
        frozenset({("abdomen", "brain"), ("abdomen", "chest")}),
    )
    assert foreign.of("tiny") == ["glioma"]
    assert foreign.of("other") == []
    rng = np.random.default_rng(0)
    sampler = SliceSampler(slices, {}, foreign=foreign, absent=0.5)
    batch = sampler.draw(8, rng)
    names = {p.name for _ in range(20) for p in sampler.pairs(batch, 16, rng) if not p.present}
    assert names == {"glioma", "spleen"}


def test_sampler_gives_exact_counts_and_favours_rare_structures(
    slices: list[TrainingSlice],
) -> None:
    rng = np.random.default_rng(1)
    for item in slices[2:]:
        del item.masks["right kidney"]
    sampler = SliceSampler(slices, {}, rarity=1.0)
    drawn = sampler.draw(400, rng)
    share = sum("right kidney" in s.masks for s in drawn) / 400
    assert share > 2 / len(slices) * 1.5
    assert len(sampler.pairs(drawn[:5], 37, rng)) == 37
    assert len(sampler.questions(drawn[:5], 4, rng)) == 20


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("left kidney", "right kidney"),
        ("right upper lung lobe", "left upper lung lobe"),
        ("liver", "liver"),
        ("leftover", "leftover"),
    ],
)
def test_swap_sides(name: str, expected: str) -> None:
    assert swap_sides(name) == expected
    assert swap_sides(swap_sides(name)) == name


def test_mirrored_slices_have_swapped_words(slices: list[TrainingSlice]) -> None:
    """The bright disc lies on the image's left and is called right; mirrored it is left's."""
    seen: list[list[str]] = []

    def encode(texts: list[str]) -> list[str]:
        seen.append(texts)
        return texts

    stream = BatchStream(
        [SliceSampler(slices, {}, absent=0.0)],
        PhraseBook(Vocabulary.load(), plain=1.0),
        encode,
        BatchPlan(slices=4, pairs=12, questions=1),
        augment=AugmentConfig(rotation=0, scale=(1, 1), shift=0, probability=1.0),
        mirror=["tiny"],
        seed=0,
    )
    sides = set()
    for batch, _ in zip(stream, range(6), strict=False):
        for row, name in enumerate(batch["text"]):
            mask = batch["mask"][row, 0]
            if name.endswith("kidney"):
                centre = mask.nonzero()[:, 1].float().mean()
                assert (centre < 32) == name.startswith("right"), name
                sides.add(name)
                image = batch["image"][batch["index"][row], 0]
                assert image[mask > 0].mean() > 0.6
    assert sides == {"left kidney", "right kidney"}


def test_a_cases_own_text_asks_for_its_structure_and_follows_the_mirror(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path, groups={})
    values = json.loads((folder / "dataset.json").read_text())
    for case in values["cases"]:
        case["text"] = "One bright area, lower right side."
    (folder / "dataset.json").write_text(json.dumps(values))
    rules = NameRules(text_for=("right kidney",))
    dataset = Dataset.read(folder)
    slices = [s for c in dataset.cases for s in case_slices(c, SPEC, rules)]
    assert all(set(s.texts) == {"right kidney"} for s in slices)

    def words(texts: float, mirror: list[str]) -> set[str]:
        stream = BatchStream(
            [SliceSampler(slices, {}, absent=0.3)],
            PhraseBook(Vocabulary.load(), plain=1.0),
            list,
            BatchPlan(slices=4, pairs=12, questions=2, texts=texts),
            augment=AugmentConfig(),
            mirror=mirror,
        )
        found: set[str] = set()
        for batch, _ in zip(stream, range(4), strict=False):
            for text, present in zip(batch["text"], batch["present"], strict=True):
                assert present or "area" not in text
            found |= set(batch["text"]) | set(batch["asked_text"])
        return found

    own, turned = "One bright area, lower right side.", "one bright area, lower left side."
    assert words(1.0, []) == {own, "liver", "spleen"}
    assert words(0.0, []) == {"right kidney", "liver", "spleen"}
    assert {own, turned, "right kidney", "left kidney"} <= words(0.5, ["tiny"])
    for texts in (False, True):
        (batch,) = validation_batches(slices[:2], list, texts=texts)
        assert (own in batch["text"]) == texts and ("right kidney" in batch["text"]) != texts


def test_stream_depends_on_seed_and_position_only(slices: list[TrainingSlice]) -> None:
    def stream(skip: int) -> BatchStream:
        return BatchStream(
            [SliceSampler(slices, {})],
            PhraseBook(Vocabulary.load()),
            lambda texts: texts,
            BatchPlan(slices=2, pairs=4, questions=1),
            augment=AugmentConfig(),
            seed=5,
            skip=skip,
        )

    first = [b for b, _ in zip(stream(0), range(4), strict=False)]
    later = next(iter(stream(3)))
    assert first[3]["text"] == later["text"]
    assert torch.equal(first[3]["image"], later["image"])
    assert not torch.equal(first[2]["image"], later["image"])


@given(angle=st.floats(-15, 15), seed=st.integers(0, 1000))
def test_masks_move_with_the_picture(angle: float, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    config = AugmentConfig(rotation=abs(angle), probability=1.0)
    image = torch.zeros(1, 1, 48, 48)
    image[..., 14:30, 18:34] = 1
    matrix = random_affine(1, config, [bool(seed % 2)], generator)
    moved = warp(image, matrix) > 0.5
    mask = warp(image, matrix, nearest=True) > 0.5
    assert (moved != mask).sum() <= 40


def chest() -> np.ndarray:
    """A CT of a cylinder with two lungs, a trachea and air around it, HU, canonical LPS."""
    volume = np.full((8, 64, 96), -1000, np.int16)
    y, x = np.mgrid[:64, :96]
    volume[:, ((y - 32) / 26) ** 2 + ((x - 48) / 42) ** 2 < 1] = 40
    for centre in (28, 68):
        volume[:, ((y - 32) / 16) ** 2 + ((x - centre) / 13) ** 2 < 1] = -850
    volume[:, (y - 20) ** 2 + (x - 48) ** 2 < 9] = -1000
    return volume


def test_lungs_come_from_density_and_sides_from_geometry() -> None:
    volume = chest()
    truth = volume == -850
    masks = derived_masks(["ct_lungs"], volume, {})
    both = masks["lungs"]
    assert 2 * (both & truth).sum() / (both.sum() + truth.sum()) > 0.93
    assert not both[:, :4].any() and not both[:, 17:23, 45:51].any()
    right, left = masks["right lung"], masks["left lung"]
    assert np.nonzero(right)[2].max() < 48 < np.nonzero(left)[2].min()
    assert (right | left).sum() == both.sum()


def test_labels_win_over_derived_ones() -> None:
    volume = chest()
    own = np.zeros(volume.shape, bool)
    own[0, 0, 0] = True
    assert "left lung" not in derived_masks(["ct_lungs"], volume, {"left lung": own})
    with pytest.raises(ValueError, match="no rule 'magic'"):
        derived_masks(["magic"], volume, {})


def test_one_lung_alone_keeps_its_side() -> None:
    volume = chest()
    volume[:, :, 50:][volume[:, :, 50:] == -850] = 40
    right, left = split_sides(ct_lungs(volume))
    assert right.any() and not left.any()


def test_a_described_finding_is_asked_by_a_sentence_from_its_mask(tmp_path: Path) -> None:
    """The lungs of the same picture may be labelled in another case."""
    from PIL import Image

    folder = tmp_path / "chest"
    folder.mkdir()
    picture, lungs, finding = (np.zeros((40, 40), np.uint8) for _ in range(3))
    lungs[5:35, 2:18], lungs[5:35, 22:38] = 1, 2
    finding[6:12, 25:35] = 3
    for name, array in (("image", picture + 90), ("lungs", lungs), ("finding", finding)):
        Image.fromarray(array).save(folder / f"{name}.png")
    cases = [
        {"id": "a", "image": "image.png", "label": "lungs.png", "split": "train",
         "present": ["right lung", "left lung"], "annotated": ["right lung", "left lung"]},
        {"id": "b", "image": "image.png", "label": "finding.png", "split": "train",
         "present": ["infection"], "annotated": ["infection"]},
    ]  # fmt: skip
    labels = {"1": "right lung", "2": "left lung", "3": "infection"}
    values = {"name": "chest", "modality": "CXR", "labels": labels, "cases": cases}
    (folder / "dataset.json").write_text(json.dumps(values))
    spec = InputSpec(size=32, multiple=32)
    rules = NameRules(
        aliases={"infection": "pulmonary infection"}, describe=("pulmonary infection",)
    )
    first, second = Dataset.read(folder).cases
    assert case_slices(first, spec, rules)[0].texts == {}
    (made,) = case_slices(second, spec, rules)
    expected = "unilateral pulmonary infection, one infected area, upper left lung."
    assert made.texts == {"pulmonary infection": expected}
