"""CutMix and copy-paste: pixels, masks and what is known stay true."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from TextPromptSegLib.data.mixing import MixConfig, Mixer
from TextPromptSegLib.data.slices import TrainingSlice

SIDE = 64


def _box(top: int, left: int, height: int, width: int) -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), bool)
    mask[top : top + height, left : left + width] = True
    return mask


def _slice(
    grey: int,
    masks: dict[str, np.ndarray],
    *,
    absent: tuple[str, ...] = (),
    dataset: str = "a",
    channels: int = 2,
    body: np.ndarray | None = None,
    modality: str = "CT",
) -> TrainingSlice:
    body = _box(4, 4, 56, 56) if body is None else body
    image = np.broadcast_to(np.where(body, grey, 0), (channels, SIDE, SIDE)).astype(np.uint8)
    image = image.copy()
    for level, mask in enumerate(masks.values()):
        image[:, mask] = grey + 40 + 10 * level
    return TrainingSlice(
        image=image,
        valid=(0, 0, SIDE, SIDE),
        masks={n: np.packbits(m, axis=1) for n, m in masks.items()},
        absent=absent,
        dataset=dataset,
        modality=modality,
        key=f"{grey}/axial0",
        texts=dict.fromkeys(masks, "a sentence about the whole picture"),
    )


def _mixer(slices: list[TrainingSlice], config: MixConfig, **kinds: object) -> Mixer:
    foreign = {"b": ["glioma"]}
    regions = kinds.get("regions", {"a": "abdomen", "b": "abdomen"})
    return Mixer(slices, config, regions=regions, foreign=lambda d: foreign.get(d, []))  # type: ignore[arg-type]


@pytest.mark.parametrize("channels", [1, 2, 4])
@pytest.mark.parametrize("seed", range(8))
def test_cutmix_keeps_every_mask_true(channels: int, seed: int) -> None:
    one = _slice(60, {"liver": _box(8, 8, 30, 20)}, absent=("spleen",), channels=channels)
    two = _slice(
        120,
        {"liver": _box(20, 10, 30, 20), "spleen": _box(20, 44, 14, 10)},
        absent=("aorta",),
        channels=channels,
    )
    mixer = _mixer([one, two], MixConfig(area=(0.2, 0.4)))
    mixed = mixer.cut(one, np.random.default_rng(seed))
    assert mixed is not one and mixed.image.shape == (channels, SIDE, SIDE)
    from_two = (mixed.image == two.image).all(0) & (mixed.image != one.image).any(0)
    assert 0.1 < from_two.mean() < 0.5
    # the brightest level of each slice tells where its own structures are
    for name, item, level in (("liver", one, 100), ("liver", two, 160), ("spleen", two, 170)):
        shown = (mixed.image[0] == level) & (item.unpack(name) > 0)
        if name in mixed.masks:
            assert (mixed.unpack(name) > 0)[shown].all()
    for name in mixed.masks:
        inside = mixed.image[0][mixed.unpack(name) > 0]
        assert set(np.unique(inside)) <= {100, 160, 170}
    # unknown in the first one, so nothing is said of it; absent only if absent from both
    assert "aorta" not in mixed.absent and "spleen" not in mixed.absent
    assert not mixed.texts


def test_a_name_that_one_slice_says_nothing_of_is_forgotten() -> None:
    one = _slice(60, {"liver": _box(8, 8, 30, 20), "colon": _box(40, 40, 10, 10)})
    two = _slice(120, {"liver": _box(20, 10, 30, 20)})
    mixed = _mixer([one, two], MixConfig(area=(0.3, 0.3))).cut(one, np.random.default_rng(0))
    assert "colon" not in mixed.masks and "colon" not in mixed.absent and "liver" in mixed.masks


def test_names_of_another_region_count_as_known_absent() -> None:
    one = _slice(60, {"liver": _box(8, 8, 50, 50)}, dataset="b", absent=("glioma",))
    two = _slice(120, {"liver": _box(8, 8, 50, 50)}, dataset="b")
    mixed = _mixer([one, two], MixConfig(area=(0.3, 0.3))).cut(one, np.random.default_rng(0))
    assert mixed.absent == ("glioma",)


def test_partners_come_from_the_same_region_and_modality() -> None:
    one = _slice(60, {"liver": _box(8, 8, 30, 20)})
    far = _slice(120, {"liver": _box(8, 8, 30, 20)}, dataset="chest")
    mr = _slice(120, {"liver": _box(8, 8, 30, 20)}, dataset="b", modality="MR")
    regions = {"a": "abdomen", "b": "abdomen", "chest": "chest"}
    mixer = _mixer([one, far, mr], MixConfig(same=0.0), regions=regions)
    rng = np.random.default_rng(0)
    assert all(mixer.cut(one, rng) is one for _ in range(20))


def test_a_partner_that_knows_none_of_the_names_is_refused() -> None:
    one = _slice(60, {"liver": _box(8, 8, 30, 20)})
    two = _slice(120, {"pancreas": _box(8, 8, 30, 20)})
    mixer = _mixer([one, two], MixConfig())
    assert mixer.cut(one, np.random.default_rng(0)) is one


GLAND = MixConfig(pasted={"a": ["right adrenal gland"]}, jitter=3)


@pytest.mark.parametrize("seed", range(10))
def test_a_pasted_organ_stays_on_its_side_of_the_body(seed: int) -> None:
    """The second body lies far to the right of its canvas; the gland goes with the body."""
    gland = _box(30, 20, 5, 5)
    donor = _slice(
        60, {"right adrenal gland": gland, "liver": _box(8, 8, 12, 12)}, body=_box(4, 4, 56, 40)
    )
    target = _slice(
        90,
        {"liver": _box(8, 26, 12, 12)},
        absent=("right adrenal gland",),
        body=_box(4, 22, 56, 40),
    )
    pasted = _mixer([donor, target], GLAND).paste(target, np.random.default_rng(seed))
    mask = pasted.unpack("right adrenal gland") > 0
    rows, columns = np.nonzero(mask)
    assert mask.sum() == 25 and pasted.absent == ()
    # 4 px right of the middle of its own body, as in the donor
    assert abs(columns.mean() - (41.5 - 1.5)) <= 3.5 and abs(rows.mean() - 32) <= 3.5
    assert pasted.image[0][mask].min() >= 99
    far = np.ones((SIDE, SIDE), bool)
    far[rows.min() - 8 : rows.max() + 9, columns.min() - 8 : columns.max() + 9] = False
    assert (pasted.image[:, far] == target.image[:, far]).all()


def test_a_pasted_organ_takes_the_place_of_its_own_kind_and_covers_others() -> None:
    donor = _slice(60, {"right adrenal gland": _box(30, 20, 6, 6)})
    target = _slice(90, {"right adrenal gland": _box(36, 24, 4, 4), "liver": _box(20, 14, 14, 14)})
    donor.absent = ("liver",)
    pasted = _mixer([donor, target], GLAND).paste(target, np.random.default_rng(1))
    gland, liver = pasted.unpack("right adrenal gland") > 0, pasted.unpack("liver") > 0
    assert 30 <= gland.sum() <= 36 and not (gland & liver).any()
    assert liver.sum() < 196
    assert not (pasted.image[0] == 130).any() or (pasted.image[0] == 130).sum() < 16


def test_an_organ_is_not_pasted_at_another_level_of_the_body() -> None:
    donor = _slice(60, {"right adrenal gland": _box(30, 20, 6, 6), "liver": _box(8, 8, 12, 12)})
    target = _slice(90, {"bladder": _box(30, 30, 9, 9)}, absent=("right adrenal gland",))
    mixer = _mixer([donor, target], GLAND)
    assert mixer.paste(target, np.random.default_rng(0)) is target


def test_a_roaming_lesion_lands_in_similar_tissue_and_keeps_the_others() -> None:
    own, lesion = _box(10, 10, 6, 6), _box(30, 40, 6, 6)
    config = MixConfig(pasted={"a": ["tumor"]}, roam=["tumor"])
    donor, target = _slice(90, {"tumor": lesion}), _slice(90, {"tumor": own})
    mixer = _mixer([donor, target], config)
    rng = np.random.default_rng(0)
    places = set()
    for _ in range(40):
        pasted = mixer.paste(target, rng)
        if pasted is target:
            continue
        mask = pasted.unpack("tumor") > 0
        new = mask & ~own
        places.add(tuple(np.argwhere(new).mean(0).round().astype(int)))
        assert (pasted.image[0][new] > 120).all()
        assert (target.image[0][new] >= 26).mean() > 0.5
    assert len(places) > 4


def test_mixing_depends_on_the_seed_only_and_leaves_the_sources_alone() -> None:
    slices = [_slice(60 + i, {"liver": _box(8, 8 + i, 20, 20)}) for i in range(6)]
    before = [s.image.copy() for s in slices]
    mixer = _mixer(slices, MixConfig(cutmix=1.0, paste=0.5, pasted={"a": ["liver"]}))
    runs = [
        [mixer(s, np.random.default_rng((seed, i))).image for i, s in enumerate(slices)]
        for seed in (1, 1, 2)
    ]
    assert all((a == b).all() for a, b in zip(runs[0], runs[1], strict=True))
    assert any((a != b).any() for a, b in zip(runs[0], runs[2], strict=True))
    assert all((s.image == b).all() for s, b in zip(slices, before, strict=True))
    idle = replace(mixer.config, cutmix=0.0, paste=0.0)
    assert _mixer(slices, idle)(slices[0], np.random.default_rng(0)) is slices[0]


def test_neighbours_are_mixed_with_their_slice() -> None:
    one = _slice(60, {"liver": _box(8, 8, 30, 20)}, channels=1)
    two = _slice(120, {"liver": _box(20, 10, 30, 20)}, channels=1)
    for item in (one, two):
        item.neighbours = (item.image[0], item.image[0] // 2)
    mixed = _mixer([one, two], MixConfig(area=(0.3, 0.4))).cut(one, np.random.default_rng(0))
    assert mixed.image.shape == (1, SIDE, SIDE) and mixed.channels().shape == (3, SIDE, SIDE)
    assert (mixed.neighbours[0] == mixed.image[0]).all()
    assert (mixed.neighbours[1] == mixed.image[0] // 2).all()
