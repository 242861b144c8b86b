"""Results are whole, or there is none; nothing of an earlier run stays beside them."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from results_to_write import SHAPE, Names, box, left_over, organs, result, scan

from TextPromptSegLib.formats import verify
from TextPromptSegLib.formats.label_map import write_nifti
from TextPromptSegLib.formats.side_files import side_names, stale_files
from TextPromptSegLib.formats.writing import write_segmentations
from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.outcome import OutputError

sitk = pytest.importorskip("SimpleITK")


@contextmanager
def small_disk(limit: int):
    """No file of this process grows beyond ``limit`` bytes, as on a full disk."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def noise(shape: tuple[int, int, int]) -> Volume:
    return Volume(np.random.default_rng(0).normal(size=shape).astype(np.float32))


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".seg.nrrd"])
def test_a_short_write_is_no_success(tmp_path: Path, ending: str) -> None:
    volume = noise((40, 64, 64))
    speckles = (np.random.default_rng(1).random(volume.shape) > 0.5).astype(np.uint8)
    results, path = [result("liver", "liver", speckles)], tmp_path / f"o{ending}"
    with small_disk(8_000), pytest.raises(OutputError, match="o.* (cut off|cannot be written)"):
        write_segmentations(results, volume, path, Names())
    assert left_over(tmp_path) == []
    write_segmentations(results, volume, path, Names())
    verify.verify_files(tmp_path.iterdir())


def test_a_map_that_is_cut_off_is_noticed(tmp_path: Path) -> None:
    volume, path = noise((20, 32, 32)), tmp_path / "u.nii.gz"
    with small_disk(9_000):
        write_nifti(path, volume.array, volume)  # ITK says nothing
    with pytest.raises(OutputError, match="cut off"):
        verify.verify_files([path])
    write_nifti(path, volume.array, volume)
    verify.verify_files([path])


def test_every_kind_is_checked_to_its_last_byte(tmp_path: Path) -> None:
    import matplotlib.image

    volume = scan()
    for ending in (".nii", ".nii.gz", ".seg.nrrd"):
        write_segmentations(organs(), volume, tmp_path / f"o{ending}", Names())
    for ending in ("png", "jpg", "pdf", "svg"):
        if ending in ("pdf", "svg"):
            from matplotlib.figure import Figure

            Figure().savefig(tmp_path / f"p.{ending}")
        else:
            matplotlib.image.imsave(tmp_path / f"p.{ending}", np.eye(64))
    files = sorted(tmp_path.iterdir())
    assert len(files) >= 9
    verify.verify_files(files)
    for file in files:
        content = file.read_bytes()
        for length in (len(content) - 12, len(content) // 2, 3, 0):
            file.write_bytes(content[:length])
            with pytest.raises(OutputError, match="cut off"):
                verify.verify_files([file])


@pytest.mark.parametrize("name", ["OUT.NII.GZ", "Out.Nii", "OUT.SEG.NRRD", "o.nii.GZ"])
def test_capitals_in_the_ending_are_written_too(tmp_path: Path, name: str) -> None:
    volume = scan()
    written = write_segmentations(organs(), volume, tmp_path / name, Names())
    assert written[0].name == name and written[0].is_file()
    verify.verify_files(written)
    image = tmp_path / f"copy{name.lower()[name.lower().index('.') :]}"
    image.write_bytes(written[0].read_bytes())
    assert sitk.ReadImage(str(image)).GetSize()[:3] == SHAPE[::-1]


def test_layers_of_an_earlier_run_go(tmp_path: Path) -> None:
    volume, path = scan(), tmp_path / "out.nii.gz"
    (tmp_path / "out_layer7.nii.gz").write_text("not ours: no list names it")
    write_segmentations(organs(), volume, path, Names())
    assert "out_layer2.nii.gz" in left_over(tmp_path)
    write_segmentations(organs()[:1], volume, path, Names())
    assert left_over(tmp_path) == ["out.labels.json", "out.nii.gz", "out_layer7.nii.gz"]
    named = json.loads((tmp_path / "out.labels.json").read_text())["files"]
    assert named == ["out.nii.gz"]


def test_a_list_of_files_cannot_reach_further(tmp_path: Path) -> None:
    path = tmp_path / "in" / "out.nii"
    path.parent.mkdir()
    (tmp_path / "out_layer2.nii").write_text("x")
    (path.parent / "other.nii").write_text("x")
    files = ["../out_layer2.nii", "other.nii", 3, str(tmp_path / "out_layer2.nii"), "out.nii"]
    (path.parent / "out.labels.json").write_text(json.dumps({"files": files}))
    path.write_text("x")
    assert stale_files(path) == []
    (path.parent / "out.labels.json").write_text("[" * 100_000)
    assert stale_files(path) == []


def test_what_may_lie_beside_a_segmentation() -> None:
    names = side_names(Path("a.b.nii.gz"))
    for name in ("a.b_layer2.nii.gz", "a.b.labels.json", "a.b.uncertainty-1-liver.nii.gz",
                 "A.B.candidates.seg.nrrd", "a.b.heat-map.nii.gz"):  # fmt: skip
        assert names.fullmatch(name), name
    for name in ("a_b.labels.json", "a.b.nii.gz", "a.b_layer2.nii", "a.b.report.json"):
        assert not names.fullmatch(name), name
    assert not side_names(Path("a.seg.nrrd")).fullmatch("a.labels.json")


def test_one_voxel_more_or_less_is_not_whole(tmp_path: Path) -> None:
    path, volume = tmp_path / "o.nii", scan()
    write_segmentations([result("liver", "liver", box((0, 1), (0, 1), (0, 1)))], volume, path)
    size = path.stat().st_size
    for length in (size - 1, size + 1):
        os.truncate(path, length)
        with pytest.raises(OutputError):
            verify.verify_files([path])


def test_the_files_that_were_read_are_never_replaced(tmp_path: Path) -> None:
    import synthetic_dicom as made

    image = sitk.GetImageFromArray(np.zeros((4, 6, 8), np.int16))
    for name in ("a.nii.gz", "scan_layer2.nii.gz"):
        sitk.WriteImage(image, str(tmp_path / name))
    (tmp_path / "link.nii.gz").symlink_to("a.nii.gz")
    (tmp_path / "linked").symlink_to(tmp_path)
    made.series(tmp_path / "dicom", [(0, 0, 2.0 * n) for n in range(4)])
    slices = sorted((tmp_path / "dicom").iterdir())
    slice_file = slices[0].rename(slices[0].with_suffix(".dcm"))
    overlapping = [np.ones((4, 6, 8), np.uint8)] * 2
    for source, target in (
        ("a.nii.gz", tmp_path / "a.nii.gz"),
        ("link.nii.gz", tmp_path / "a.nii.gz"),
        ("linked/a.nii.gz", tmp_path / "a.nii.gz"),
        ("scan_layer2.nii.gz", tmp_path / "scan.nii.gz"),
        ("dicom", slice_file),
    ):
        before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
        volume = Volume.read(tmp_path / source)
        results = [result(f"x{n}", None, mask) for n, mask in enumerate(overlapping)]
        with pytest.raises(OutputError, match="overwrite the input"):
            write_segmentations(results, volume, target, Names())
        assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
