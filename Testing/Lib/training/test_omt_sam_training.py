"""What OMT-SAM is trained with: the prompts that are drawn and the objective."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tiny_clip
import torch
from tiny_omt_sam import tiny
from two_organs import batch_of

from TextPromptSegLib.systems.omt_sam import OMTSAMConfig
from TextPromptSegLib.systems.omt_sam.objective import omt_sam_objective
from TextPromptSegLib.systems.omt_sam.prompting import draw_prompts, mask_boxes


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tiny_clip.tiny_clip(tmp_path_factory.mktemp("clip"))


def drawn_masks() -> torch.Tensor:
    masks = torch.zeros(20, 1, 64, 64)
    for row in range(16):  # the last four are absent
        masks[row, 0, 10 + row : 20 + row, 5 : 30 + row] = 1
    return masks


def test_boxes_of_masks() -> None:
    boxes = mask_boxes(drawn_masks())
    assert boxes[3].tolist() == [5.0, 13.0, 32.0, 22.0]
    assert torch.isnan(boxes[16:]).all()


def test_the_prompting_mix_holds_in_every_batch() -> None:
    config = OMTSAMConfig(image_size=64, silent_share=0.5, point_share=1.0)
    masks, generator = drawn_masks(), torch.Generator().manual_seed(0)
    exact, near = mask_boxes(masks), round(64 * config.box_jitter) + 1
    silent = absent_boxed = 0
    for _ in range(20):
        drawn = draw_prompts(masks, config, generator)
        boxed = torch.isfinite(drawn.boxes).all(1)
        whole = boxed & (drawn.boxes == torch.tensor([0.0, 0.0, 63.0, 63.0])).all(1)
        tight = boxed & ~whole
        assert int(tight.sum()) == 8 and int(whole.sum()) == 6
        own = tight[:16].nonzero().flatten()
        assert (drawn.boxes[own] - exact[own]).abs().max() <= near
        absent_boxed += int(tight[16:].sum())
        assert not drawn.silent[16:].any() and not (drawn.silent & ~tight).any()
        silent += int(drawn.silent.sum())
        assert drawn.points is not None
        for row, (x, y, label) in (
            (r, p) for r in range(20) for p in drawn.points[r].tolist() if p[2] >= 0
        ):
            assert float(masks[row, 0, int(y), int(x)]) == label
    assert absent_boxed > 0 and silent > 0
    again = [draw_prompts(masks, config, torch.Generator().manual_seed(7)) for _ in range(2)]
    assert torch.equal(again[0].boxes[0], again[1].boxes[0]) or torch.isnan(again[0].boxes[0]).all()


def test_without_present_structures_no_box_is_jittered() -> None:
    drawn = draw_prompts(torch.zeros(10, 1, 64, 64), OMTSAMConfig(image_size=64))
    assert int(torch.isfinite(drawn.boxes).all(1).sum()) == 3 and drawn.points is None


# -- objective -------------------------------------------------------------------------------------


def test_the_objective_is_the_papers_equation() -> None:
    torch.manual_seed(0)
    logits, mask = torch.randn(3, 1, 6, 6), (torch.rand(3, 1, 6, 6) > 0.5).float()
    mask[2] = 0
    presence, present = torch.tensor([0.3, -1.0, 2.0, 0.5]), torch.tensor([1.0, 1.0, 0.0, 1.0])
    config = OMTSAMConfig(dice_weight=0.7, bce_weight=1.3, presence_weight=0.2)
    terms = omt_sam_objective(logits, mask, torch.ones_like(mask), presence, present, config)
    p, m = logits.sigmoid().double().numpy(), mask.double().numpy()
    dice = [
        1 - (2 * (p[n] * m[n]).sum() + 1) / ((p[n] ** 2).sum() + (m[n] ** 2).sum() + 1)
        for n in range(2)
    ]
    bce = -(m * np.log(p) + (1 - m) * np.log(1 - p)).mean()
    s, t = presence.sigmoid().double().numpy(), present.double().numpy()
    seen = -(t * np.log(s) + (1 - t) * np.log(1 - s)).mean()
    assert float(terms["dice"]) == pytest.approx(np.mean(dice), abs=1e-5)
    assert float(terms["bce"]) == pytest.approx(bce, abs=1e-5)
    assert float(terms["loss"]) == pytest.approx(
        0.7 * np.mean(dice) + 1.3 * bce + 0.2 * seen, abs=1e-5
    )
    nothing = omt_sam_objective(
        logits, 0 * mask, torch.ones_like(mask), presence, 0 * present, config
    )
    assert float(nothing["dice"]) == 0 and torch.isfinite(nothing["loss"])


def test_it_learns_which_side_the_text_means(clip: Any) -> None:
    net = tiny(clip, silent_share=0.3, point_share=0.3)
    batch = batch_of(clip)
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3)
    first = None
    for _ in range(40):
        terms = net.loss(batch)
        first = first or float(terms["loss"])
        optimizer.zero_grad()
        terms["loss"].backward()
        optimizer.step()
    assert float(terms["loss"]) < 0.5 * first
    net.eval()
    features = net.index_features(net.encode_image(batch["image"]), batch["index"])
    found = net.decode(features, batch["text"])[0] > 0
    overlap = (found & (batch["mask"] > 0)).flatten(1).sum(1)
    dice = 2 * overlap / (found.flatten(1).sum(1) + batch["mask"].flatten(1).sum(1))
    assert dice.min() > 0.6
