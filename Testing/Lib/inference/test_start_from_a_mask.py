"""Making a segment better: its mask goes in, or the boxes around it where no mask can."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK
import tiny_clip
import torch
from box_segmenter import FAR, LIVER, NEAR, PLACES, predictor
from tiny_omt_sam import tiny
from toy_segmenter import phantom, toy_predictor

from TextPromptSegLib.cli.options import run_options
from TextPromptSegLib.inference.hints import Hints
from TextPromptSegLib.inference.run_request import FROM_ITS_BOXES, FROM_MASK
from TextPromptSegLib.jobs import job
from TextPromptSegLib.outcome import CheckpointError, InputError
from TextPromptSegLib.prompting.boxed import Boxed
from TextPromptSegLib.prompting.prompts import parse_prompts

VOLUME = phantom({LIVER: [NEAR, FAR]})


def asked(**attributes: Any) -> Any:
    made = predictor()
    for name, value in attributes.items():
        setattr(made._model, name, value)
    made.set_volume(VOLUME)
    return made


def mask_of(part: tuple[slice, slice, slice]) -> np.ndarray:
    mask = np.zeros(VOLUME.shape, np.uint8)
    mask[part] = 1
    return mask


def test_a_mask_becomes_boxes_where_a_system_takes_those() -> None:
    """Its slices are searched, each in the box around its own part of the mask."""
    k, j, i = NEAR
    mask = mask_of((slice(6, 9), j, i))
    mask[8, j.start : j.stop - 4] = 0
    made = asked()
    (found,) = made.segment("liver", mask=mask)
    assert set(np.flatnonzero(found.mask.any((1, 2)))) == {6, 7, 8}
    assert not found.mask[:, FAR[1], FAR[2]].any()
    assert found.mask[8].sum() < found.mask[7].sum() and not found.mask[8, j.start].any()
    assert FROM_ITS_BOXES in found.provenance["notes"]
    assert found.provenance["mask"]["voxels"] == int(mask.sum())
    assert not made._model.masks


def test_a_point_widens_the_box_of_its_slice() -> None:
    k, j, i = NEAR
    mask = mask_of((slice(7, 8), slice(j.start, j.start + 2), slice(i.start, i.start + 2)))
    place = (VOLUME.ijk_to_ras @ (i.stop - 1, j.stop - 1, 7, 1.0))[:3]
    (plain,) = asked().segment("liver", mask=mask)
    (shown,) = asked().segment("liver", mask=mask, points=[(*place, 1)])
    assert plain.voxels < 20 and shown.mask[7][NEAR[1:]].all()


def test_a_mask_goes_in_where_a_system_takes_masks() -> None:
    part = (slice(6, 9), slice(30, 34), slice(10, 20))  # where nothing of the intensity lies
    made = asked(takes_masks=True)
    (found,) = made.segment("liver", mask=Boxed.of(mask_of(part)))
    assert "mask" in made._model.takes() and FROM_MASK in found.provenance["notes"]
    assert np.array_equal(found.mask, mask_of(part))
    logits = np.concatenate(made._model.masks)
    assert set(np.unique(logits)) == {-10.0, 10.0} and (logits > 0).any(axis=(1, 2, 3)).all()
    # A box of the user's counts for more than the mask on its slices.
    made._model.masks.clear()
    made.segment("liver", mask=mask_of(NEAR), box=(-1e3, 1e3, -1e3, 1e3, -1e3, 1e3))
    assert not made._model.masks


def test_slices_between_without_a_mask_have_none() -> None:
    mask = mask_of((slice(6, 7), *NEAR[1:])) | mask_of((slice(8, 9), *NEAR[1:]))
    made = asked(takes_masks=True)
    (found,) = made.segment("liver", mask=mask)
    rows = np.concatenate(made._model.masks)
    assert np.isnan(rows).any() and (~np.isnan(rows)).any()
    assert found.mask[7].any(), "the text asks there"


def test_a_mask_that_cannot_be_is_refused() -> None:
    for mask, sentence in (
        (np.zeros(VOLUME.shape), "empty"),
        (np.ones((2, 3, 4)), "grid of the image"),
    ):
        with pytest.raises(InputError, match=sentence):
            asked().segment("liver", mask=mask)
    with pytest.raises(InputError, match="one structure"):
        asked().segment("liver, spleen", mask=mask_of(NEAR))
    with pytest.raises(InputError, match="no slice in common"):
        made = predictor()
        made.set_volume(VOLUME, slices=slice(0, 2))
        made.segment("liver", mask=mask_of(NEAR))
    plain = toy_predictor(PLACES)
    plain.set_volume(VOLUME)
    with pytest.raises(CheckpointError, match="starts from no mask"):
        plain.segment("liver", mask=mask_of(NEAR))


def test_hints_say_which_mask_without_showing_it() -> None:
    one, other = Hints(mask=mask_of(NEAR)), Hints(mask=mask_of(FAR))
    assert one.geometric and one.needs() == ("mask",) and bool(one)
    assert one.to_dict() == Hints(mask=2.5 * mask_of(NEAR)).to_dict() != other.to_dict()
    again = Hints.from_dict(one.options())
    assert again.to_dict() == one.to_dict() and one.numbers() == {}


def test_the_command_line_starts_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "before.nii.gz"
    SimpleITK.WriteImage(VOLUME.with_array(mask_of(NEAR)).to_sitk(), str(path))
    options = run_options(start=path)
    assert options.to_dict() == {"start": "before.nii.gz"}
    made = predictor()
    (found,) = job.answer(made, VOLUME, parse_prompts("liver"), options)
    assert FROM_ITS_BOXES in found.provenance["notes"]
    image = VOLUME.with_array(mask_of(NEAR)).to_sitk()
    image.SetOrigin([5.0, 0.0, 0.0])
    SimpleITK.WriteImage(image, str(path))
    with pytest.raises(InputError, match="another grid"):
        job.answer(made, VOLUME, parse_prompts("liver"), options)


def test_masks_belong_to_their_rows_and_are_read_at_a_quarter(tmp_path: Path) -> None:
    clip = tiny_clip.tiny_clip(tmp_path)
    net = tiny(clip, masks_trained=True).eval()
    assert net.takes() == ("box", "points", "mask") and "mask" not in tiny(clip).takes()
    features = net.encode_image(torch.rand(2, 1, 64, 64))
    text = clip.encode(["liver", "spleen"])
    low = torch.full((2, 1, 32, 32), float("nan"))
    low[1] = 10 * torch.randn(1, 32, 32).sign()
    whole = low.repeat_interleave(2, 2).repeat_interleave(2, 3)
    with torch.no_grad():
        plain = net.decode(features, text)[0]
        asked = net.decode(features, text, masks=low)[0]
        large = net.decode(features, text, masks=whole)[0]
    assert torch.allclose(asked[0], plain[0], atol=1e-6)
    assert (asked[1] - plain[1]).abs().max() > 1e-3
    assert torch.allclose(asked, large, atol=1e-6)
