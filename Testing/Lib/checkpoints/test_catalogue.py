"""The catalogue: what is installed, and import that cannot be tricked."""

from __future__ import annotations

import json
import stat
import zipfile
from pathlib import Path

import pytest
from tiny_checkpoint import save_tiny, tiny_config

from TextPromptSegLib.checkpoints import archive, catalogue, layout, licence
from TextPromptSegLib.checkpoints.memory_estimate import images_memory, slices_per_pass
from TextPromptSegLib.outcome import Cancelled, CheckpointError

pytestmark = pytest.mark.usefixtures("home")


def to_zip(folder: Path, path: Path, prefix: str = "") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for file in sorted(folder.iterdir()):
            target.write(file, prefix + file.name)
    return path


def names() -> dict[str, str]:
    return {row.name: row.state for row in catalogue.list_models()}


# -- list, show, verify, remove ------------------------------------------------------------------


def test_rows_say_what_a_person_must_know() -> None:
    (row,) = [row for row in catalogue.list_models() if row.name == "shipped-net"]
    assert row.state == "shipped" and row.system == "film-unet" and not row.problem
    assert row.licence == "CC0-1.0" and row.licence_line == "Free for every use." and row.permissive
    assert row.modalities == ("CT",) and row.prompts == ("liver",) and row.planes == ("axial",)
    assert row.folder is not None
    assert row.bytes == (row.folder / layout.WEIGHTS).stat().st_size
    assert row.memory_bytes > row.bytes
    assert json.loads(json.dumps(row.to_dict()))["name"] == "shipped-net"
    assert catalogue.model_card("shipped-net").startswith("# Tiny")


def test_import_find_show_verify_remove(tmp_path: Path, home: Path) -> None:
    source = save_tiny(tmp_path / "mine", name="mine")
    (source / "weights.pt").write_bytes(b"a pickle")
    row = catalogue.import_path(source)
    assert names() == {"shipped-net": "shipped", "mine": "user"}
    assert row == catalogue.show("mine") and catalogue.find("mine") == row.folder
    assert sorted(p.name for p in row.folder.iterdir()) == [  # type: ignore[union-attr]
        "README.md",
        "config.json",
        "model.safetensors",
    ]
    assert [r.ok for r in catalogue.verify()] == [True, True]
    weights = row.folder / layout.WEIGHTS  # type: ignore[operator]
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    (bad,) = catalogue.verify("mine")
    assert not bad.ok and "sha256" in bad.message
    assert catalogue.remove("mine") == row.folder and names() == {"shipped-net": "shipped"}
    assert not list((home / "checkpoints").iterdir())


def test_a_damaged_folder_is_shown_with_its_problem(home: Path) -> None:
    folder = save_tiny(home / "checkpoints" / "odd")
    (folder / layout.CONFIG).write_text("{")
    assert "damaged" in catalogue.show("odd").problem
    catalogue.remove("odd")


@pytest.mark.parametrize(
    "name", ["shipped-net", "nothing", "../shipped/shipped-net", "..", "a/../b"]
)
def test_what_cannot_be_removed(name: str, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError):
        catalogue.remove(name)
    assert (tmp_path / "shipped" / "shipped-net" / layout.WEIGHTS).is_file()


def test_names_that_are_taken(tmp_path: Path) -> None:
    source = save_tiny(tmp_path / "a", name="mine", title="First")
    catalogue.import_path(source)
    save_tiny(tmp_path / "a", name="mine", title="Second")
    with pytest.raises(CheckpointError, match="already a checkpoint 'mine'"):
        catalogue.import_path(source)
    assert catalogue.import_path(source, overwrite=True).title == "Second"
    with pytest.raises(CheckpointError, match="ships with the extension"):
        catalogue.import_path(save_tiny(tmp_path / "b", name="shipped-net"))
    with pytest.raises(CheckpointError, match="cannot be a checkpoint's name"):
        catalogue.import_path(save_tiny(tmp_path / "c", name="../../evil"))


def test_shipped_catalogue_is_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    entries = catalogue._entries()
    assert next(iter(entries)) == "film-unet-compact"
    for entry in entries.values():
        for file in entry.get("files", ()):
            assert file["url"].startswith("https://") and len(file["sha256"]) == 64
    catalogue.list_models()


def test_licence_is_acknowledged_once(tmp_path: Path) -> None:
    strict = {"spdx": "CC-BY-NC-4.0", "line": "Research only.", "permissive": False}
    catalogue.import_path(save_tiny(tmp_path / "nc", name="nc", licence=strict))
    row = catalogue.show("nc")
    assert licence.needs_acknowledgement(row)
    assert not licence.needs_acknowledgement(catalogue.show("shipped-net"))
    licence.acknowledge(row)
    assert not licence.needs_acknowledgement(catalogue.show("nc"))
    other = {**strict, "line": "Other terms."}
    catalogue.import_path(save_tiny(tmp_path / "nc", name="nc", licence=other), overwrite=True)
    assert licence.needs_acknowledgement(catalogue.show("nc"))


def test_memory_estimate_takes_the_measured_figure() -> None:
    assert catalogue.estimate_memory(tiny_config(memory_mb=750), 10) == 750_000_000
    small = catalogue.estimate_memory(tiny_config(), 10_000_000)
    assert catalogue.estimate_memory(tiny_config(), 500_000_000) - small == 2 * 490_000_000


def test_a_batch_needs_the_memory_of_three_images() -> None:
    assert images_memory(1000, batch=True) == 3 * images_memory(1000) > 3000


def test_memory_of_a_vit_grows_with_its_attention() -> None:
    sizes = {"patch": 16, "heads": 12, "embed_dim": 768}
    one = tiny_config(config=sizes, input={"size": 1024})
    assert slices_per_pass("cpu", 1024) == (2, 2) and slices_per_pass("cpu", 512) == (8, 8)
    assert slices_per_pass("cuda", 1024) == (4, 16) and slices_per_pass("cuda", 256) == (16, 64)
    assert slices_per_pass("cpu", 9000) == (1, 1)
    first, second = (catalogue.estimate_memory(one, 10**8, slices) for slices in (1, 2))
    assert catalogue.estimate_memory(one, 10**8) == second
    attention = 12 * 4096**2 * 4  # of one block, all heads, float32
    assert 3 * attention < second - first < 4.5 * attention
    small = tiny_config(config={"patch": 8, "heads": 2}, input={"size": 256})
    assert catalogue.estimate_memory(small, 10**7) < 1.2e9


# -- import --------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "my net/"])
def test_zip(tmp_path: Path, prefix: str) -> None:
    path = to_zip(save_tiny(tmp_path / "z", name="zipped"), tmp_path / "z.zip", prefix)
    assert catalogue.import_path(path).name == "zipped"
    assert catalogue.verify("zipped")[0].ok


def evil_zip(tmp_path: Path, name: str, content: bytes = b"x", mode: int = 0) -> Path:
    path = to_zip(save_tiny(tmp_path / "e", name="evil"), tmp_path / "evil.zip")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as target:
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = mode << 16
        target.writestr(info, content)
    return path


@pytest.mark.parametrize(
    ("name", "content", "mode", "sentence"),
    [
        ("../outside.txt", b"x", 0, "unsafe path"),
        ("a/../../outside.txt", b"x", 0, "unsafe path"),
        ("/outside.txt", b"x", 0, "unsafe path"),
        ("..\\outside.txt", b"x", 0, "unsafe path"),
        ("C:outside.txt", b"x", 0, "unsafe path"),
        ("link.txt", b"/etc/passwd", stat.S_IFLNK | 0o777, "link or device"),
        ("zeros.txt", bytes(8 << 20), 0, "suspiciously large"),
        ("second/config.json", b"{}", 0, "must hold one config.json; it holds 2"),
    ],
)
def test_zips_that_are_refused(
    tmp_path: Path, home: Path, name: str, content: bytes, mode: int, sentence: str
) -> None:
    with pytest.raises(CheckpointError, match=sentence):
        catalogue.import_path(evil_zip(tmp_path, name, content, mode))
    assert "evil" not in names() and not list((home / "checkpoints").iterdir())
    assert not list(tmp_path.rglob("outside*"))


def test_other_things_that_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("no zip")
    (tmp_path / "folder").mkdir()
    (tmp_path / "cut.zip").write_bytes(
        to_zip(save_tiny(tmp_path / "s"), tmp_path / "s.zip").read_bytes()[:-40]
    )
    with zipfile.ZipFile(tmp_path / "none.zip", "w") as target:
        target.writestr("hello.txt", "x")
    linked = save_tiny(tmp_path / "linked")
    (linked / "extra.json").symlink_to("/etc/hostname")
    for source in ("text.zip", "folder", "cut.zip", "none.zip", "missing", "linked"):
        with pytest.raises(CheckpointError) as caught:
            catalogue.import_path(tmp_path / source)
        assert "\n" not in str(caught.value)


def test_locked_zip(tmp_path: Path) -> None:
    path = to_zip(save_tiny(tmp_path / "s"), tmp_path / "s.zip")
    data = bytearray(path.read_bytes())
    position = data.find(b"PK\x01\x02")
    data[position + 8] |= 1  # the encrypted flag in the directory
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match="password"):
        catalogue.import_path(path)


def test_wrong_weights_are_not_installed(tmp_path: Path) -> None:
    source = save_tiny(tmp_path / "w", name="wrong")
    weights = source / layout.WEIGHTS
    weights.write_bytes(weights.read_bytes() + b"!")
    with pytest.raises(CheckpointError, match="sha256"):
        catalogue.import_path(source)
    assert "wrong" not in names()


def test_import_can_be_cancelled(tmp_path: Path, home: Path) -> None:
    source = save_tiny(tmp_path / "c", name="cancelled")
    with pytest.raises(Cancelled):
        catalogue.import_path(source, progress=lambda done, total, message: False)
    assert "cancelled" not in names() and not list((home / "checkpoints").iterdir())


def test_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_ENTRIES", 2)
    path = to_zip(save_tiny(tmp_path / "m"), tmp_path / "m.zip")
    with pytest.raises(CheckpointError, match="holds 3 files"):
        catalogue.import_path(path)
