"""Metrics against brute-force oracles, MONAI, and the definitions for empty masks."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from TextPromptSegLib.metrics import (
    Overlap,
    calibration_counts,
    case_metrics,
    image_diagonal,
    mean_interval,
    mean_of_means_interval,
    overlap_counts,
    pixel_distances,
    pooled,
    pooled_calibration,
    pooled_interval,
    rate_interval,
    surface,
    surface_distances,
)

SPACINGS = ((1.0, 1.0, 1.0), (3.0, 0.75, 0.5), None)


def _points(mask: np.ndarray) -> list[tuple[int, ...]]:
    """Surface voxels by the definition: one face looks at background or at the end of the image."""
    found = []
    for index in itertools.product(*(range(n) for n in mask.shape)):
        if not mask[index]:
            continue
        for axis, step in itertools.product(range(mask.ndim), (-1, 1)):
            if mask.shape[axis] == 1:
                continue
            other = list(index)
            other[axis] += step
            outside = not 0 <= other[axis] < mask.shape[axis]
            if outside or not mask[tuple(other)]:
                found.append(index)
                break
    return found


def _oracle(p: np.ndarray, r: np.ndarray, spacing, tolerance: float) -> dict[str, float]:
    size = spacing or (1.0,) * p.ndim

    def nearest(a, b):
        return [
            min(
                math.sqrt(sum(((x - y) * s) ** 2 for x, y, s in zip(u, v, size, strict=True)))
                for v in b
            )
            for u in a
        ]

    surface_p, surface_r = _points(p), _points(r)
    pr, rp = nearest(surface_p, surface_r), nearest(surface_r, surface_p)

    def percentile(values, q):
        values = sorted(values)
        at = q / 100 * (len(values) - 1)
        low = int(at)
        high = min(low + 1, len(values) - 1)
        return values[low] + (values[high] - values[low]) * (at - low)

    return {
        "hd": max(pr + rp),
        "hd95": max(percentile(pr, 95), percentile(rp, 95)),
        "asd": sum(pr) / len(pr),
        "assd": sum(pr + rp) / len(pr + rp),
        "nsd": sum(d <= tolerance for d in pr + rp) / len(pr + rp),
    }


@st.composite
def mask_pairs(draw, shapes=((1, 6, 7), (4, 5, 6), (5, 4))):
    shape = draw(st.sampled_from(shapes))
    n = math.prod(shape)
    bits = st.lists(st.booleans(), min_size=n, max_size=n)
    return (
        np.array(draw(bits), dtype=np.uint8).reshape(shape),
        np.array(draw(bits), dtype=np.uint8).reshape(shape),
    )


@settings(max_examples=60, deadline=None)
@given(
    mask_pairs(),
    st.sampled_from(SPACINGS),
    st.sampled_from((0.0, 0.6, 1.0, 2.0)),
    st.sampled_from((0.0, 1.0)),  # distance transform always, k-d tree always
)
def test_surface_distances_equal_brute_force(pair, spacing, tolerance, dense):
    p, r = pair
    if not p.any() or not r.any():
        return
    if spacing is not None:
        spacing = spacing[-p.ndim :]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(surface, "DENSE", dense)
        got = surface_distances(p, r, spacing, tolerance)
    for name, value in _oracle(p, r, spacing, tolerance).items():
        assert getattr(got, name) == pytest.approx(value, abs=1e-9), name


@settings(max_examples=60, deadline=None)
@given(mask_pairs())
def test_overlap_equals_brute_force(pair):
    p, r = pair
    a = {i for i in np.ndindex(p.shape) if p[i]}
    b = {i for i in np.ndindex(r.shape) if r[i]}
    got = overlap_counts(p, r)
    assert (got.tp, got.fp, got.fn) == (len(a & b), len(a - b), len(b - a))
    if a or b:
        assert got.dice == pytest.approx(2 * len(a & b) / (len(a) + len(b)))
        assert got.iou == pytest.approx(len(a & b) / len(a | b))
        assert got.precision == pytest.approx(len(a & b) / len(a) if a else 0.0)
        assert got.recall == pytest.approx(len(a & b) / len(b) if b else 0.0)


@settings(max_examples=60, deadline=None)
@given(st.lists(mask_pairs(), min_size=1, max_size=5))
def test_pooled_iou_follows_from_pooled_dice(pairs):
    total = pooled(overlap_counts(p, r) for p, r in pairs)
    assert total.iou == pytest.approx(total.dice / (2 - total.dice))


def test_macro_and_pooled_differ():
    cases = [Overlap(90, 10, 10), Overlap(0, 1, 1)]
    assert np.mean([c.dice for c in cases]) == pytest.approx(0.45)
    assert pooled(cases).dice == pytest.approx(180 / 202)


# prediction filled, reference filled, overlap value, distance as a share of the diagonal
EMPTY_CASES = [
    [False, False, 1.0, 0.0],
    [True, False, 0.0, 1.0],
    [False, True, 0.0, 1.0],
]


@pytest.mark.parametrize("with_p, with_r, share, far", EMPTY_CASES)
@pytest.mark.parametrize("shape", [(1, 30, 40), (30, 40), (3, 30, 40)])
def test_empty_masks(with_p, with_r, share, far, shape):
    p, r = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    p[..., 5:9, 5:9] = with_p
    r[..., 5:9, 5:9] = with_r
    for spacing in (None, (5.0, 2.0, 2.0)[-len(shape) :]):
        got = case_metrics(p, r, spacing)
        diagonal = image_diagonal(shape, spacing)
        if shape[0] == 1 or len(shape) == 2:
            assert diagonal == pytest.approx(50 if spacing is None else 100)
        assert [got.dice, got.iou, got.precision, got.recall, got.nsd] == [share] * 5
        assert [got.hd, got.hd95, got.asd, got.assd] == [far * diagonal] * 4
        assert got.unit == ("px" if spacing is None else "mm")


def test_one_slice_is_measured_as_a_picture():
    p, r = np.zeros((1, 20, 20), bool), np.zeros((1, 20, 20), bool)
    p[0, 4:16, 4:16] = r[0, 4:16, 4:16] = True
    r[0, 9:11, 9:11] = False  # a hole; if the whole slice were surface its distances would be 0
    flat = surface_distances(p[0], r[0], (2.0, 2.0))
    assert surface_distances(p, r, (9.0, 2.0, 2.0)) == flat
    assert flat.hd > 0


def test_spacing_is_in_the_order_of_the_axes():
    p, r = np.zeros((9, 9, 9), bool), np.zeros((9, 9, 9), bool)
    p[2, 4, 4] = r[6, 4, 4] = True
    assert surface_distances(p, r, (5.0, 1.0, 1.0)).hd == pytest.approx(20)
    assert surface_distances(p, r, (1.0, 1.0, 5.0)).hd == pytest.approx(4)
    assert pixel_distances(p, r)["hd_px"] == pytest.approx(4)


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (1.0, 0.0, 1.0), (1.0, np.nan, 1.0)])
def test_wrong_spacing_or_shape_is_refused(spacing):
    p = np.ones((3, 3, 3), bool)
    with pytest.raises(ValueError, match="spacing"):
        surface_distances(p, p, spacing)
    with pytest.raises(ValueError, match="shapes"):
        case_metrics(p, p[:2])


def test_equal_to_monai():
    torch = pytest.importorskip("torch")
    metrics = pytest.importorskip("monai.metrics")
    rng = np.random.default_rng(4)
    grid = np.indices((12, 30, 28))
    spacing = (3.0, 0.8, 0.7)
    for _ in range(3):
        shift = rng.normal(0, 2, 3)
        p = (
            sum((grid[a] - (6, 14, 12)[a] - shift[a]) ** 2 / (3, 8, 9)[a] ** 2 for a in range(3))
            < 1
        )
        r = sum((grid[a] - (6, 15, 14)[a]) ** 2 / (4, 9, 8)[a] ** 2 for a in range(3)) < 1
        one_p, one_r = (torch.tensor(m[None, None]).float() for m in (p, r))
        got = case_metrics(p, r, spacing, tolerance=1.5)
        assert got.dice == pytest.approx(metrics.compute_dice(one_p, one_r).item())
        assert got.iou == pytest.approx(metrics.compute_iou(one_p, one_r).item())
        kw = {"include_background": True, "spacing": spacing}
        hd, hd95 = (
            metrics.compute_hausdorff_distance(one_p, one_r, percentile=q, **kw).item()
            for q in (None, 95)
        )
        asd, assd = (
            metrics.compute_average_surface_distance(one_p, one_r, symmetric=s, **kw).item()
            for s in (False, True)
        )
        nsd = metrics.compute_surface_dice(one_p, one_r, class_thresholds=[1.5], **kw).item()
        assert [got.hd, got.hd95, got.asd, got.assd, got.nsd] == pytest.approx(
            [hd, hd95, asd, assd, nsd], rel=1e-4
        )


def test_whole_volume_is_quick():
    import time

    grid = np.indices((80, 200, 200), dtype=np.float32)
    r = sum((grid[a] - (40, 90, 80)[a]) ** 2 / (25, 55, 60)[a] ** 2 for a in range(3)) < 1
    p = np.roll(r, 3, axis=2)
    start = time.perf_counter()
    got = case_metrics(p, r, (3.0, 0.8, 0.8))
    assert time.perf_counter() - start < 2.0  # 0.15 s on an idle core, minutes by brute force
    assert got.hd == pytest.approx(3 * 0.8)


def test_bootstrap_is_over_patients_and_repeatable():
    rng = np.random.default_rng(0)
    patient = np.repeat(np.arange(8), 25)
    values = rng.normal(0.8, 0.1, 8)[patient] + rng.normal(0, 0.01, 200)
    naive, grouped = mean_interval(values), mean_interval(values, patient.tolist())
    assert grouped.value == pytest.approx(naive.value) == pytest.approx(values.mean())
    assert (grouped.groups, naive.groups) == (8, 200)
    # slices of one patient repeat each other: the honest interval is much wider
    assert grouped.high - grouped.low > 2 * (naive.high - naive.low)
    assert mean_interval(values, patient.tolist()) == grouped
    assert mean_interval(values, patient.tolist(), seed=1) != grouped


def test_bootstrap_agrees_with_a_plain_loop():
    values, groups = [0.2, 0.4, 0.9, 0.7, 0.6], ["a", "a", "b", "c", "c"]
    got = mean_interval(values, groups, resamples=4000)
    members = {g: [v for v, h in zip(values, groups, strict=True) if h == g] for g in groups}
    rng = np.random.default_rng(9)
    means = []
    for _ in range(4000):
        drawn = [v for g in rng.choice(list(members), 3) for v in members[g]]
        means.append(sum(drawn) / len(drawn))
    assert (got.low, got.high) == pytest.approx(np.percentile(means, [2.5, 97.5]), abs=0.02)


def test_mean_of_means_weighs_structures_equally():
    values = [1.0] * 30 + [0.0, 0.5]
    strata = ["liver"] * 30 + ["adrenal"] * 2
    patients = [*range(30), 0, 1]
    got = mean_of_means_interval(values, strata, patients)
    assert got.value == pytest.approx((1.0 + 0.25) / 2)
    assert got.groups == 30
    assert 0.5 <= got.low <= 0.6 < 0.7 <= got.high <= 1.0
    same = mean_of_means_interval(values[:30], strata[:30], patients[:30])
    assert (same.value, same.low, same.high) == (1.0, 1.0, 1.0)


def test_interval_of_means_covers_the_truth():
    rng = np.random.default_rng(3)
    inside = 0
    for _ in range(100):
        got = mean_interval(rng.normal(0.5, 0.1, 30), resamples=400)
        inside += got.low <= 0.5 <= got.high
    assert 85 <= inside <= 100


def test_intervals_at_the_edges():
    single = mean_interval([0.5, 0.7], ["a", "a"])
    assert (single.value, single.low, single.high) == (pytest.approx(0.6), None, None)
    with pytest.raises(ValueError, match="no cases"):
        mean_interval([])
    with pytest.raises(ValueError, match="groups"):
        mean_interval([1.0, 2.0], ["a"])
    pool = pooled_interval([Overlap(10, 0, 0), Overlap(0, 10, 10)])
    assert pool.value == pytest.approx(0.5)
    assert (pool.low, pool.high) == (0.0, 1.0)
    assert pooled_interval([Overlap(0, 0, 0)] * 3).value == 1.0
    none, some = rate_interval([False] * 30), rate_interval([True] + [False] * 29)
    assert (none.value, none.low) == (0.0, 0.0)
    assert none.high == pytest.approx(0.1157, abs=1e-3)  # Clopper-Pearson, 0 of 30
    assert some.value == pytest.approx(1 / 30)
    assert some.low <= some.value <= some.high
    assert rate_interval([True] * 30).low == pytest.approx(1 - 0.1157, abs=1e-3)


def test_calibration():
    rng = np.random.default_rng(1)
    p = rng.random((40, 50, 50)).astype(np.float16)
    honest = calibration_counts(p, rng.random(p.shape) < p)
    overconfident = calibration_counts(np.where(p > 0.5, 0.95, 0.05), rng.random(p.shape) < p)
    assert honest.ece < 0.01
    # the true share is uniform in each half, so the claim is wrong by 0.2 on the mean
    assert overconfident.ece == pytest.approx(0.2, abs=0.01)
    both = pooled_calibration([honest, overconfident])
    assert both.counts.sum() == 2 * p.size
    assert pooled_calibration([]) is None
    assert calibration_counts(np.ones(3), np.ones(3)).ece == 0
    kept = calibration_counts(np.array([0.01, 0.02, 0.9]), np.array([0, 1, 1]), above=0.05)
    assert kept.counts.sum() == 2
