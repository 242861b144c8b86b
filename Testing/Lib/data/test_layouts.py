"""What the readers of public layouts find, slice for slice, and what they refuse."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import fake_layouts
import numpy as np
import pytest
import SimpleITK as sitk
from fake_layouts import grey, save
from PIL import Image

from TextPromptSegLib.data.datasets import Case, Dataset
from TextPromptSegLib.data.layouts.index import Choices, Indexed
from TextPromptSegLib.data.layouts.kinds import index_layout
from TextPromptSegLib.outcome import Cancelled, InputError


def index(kind: str, folder: Path, **choices: object) -> Indexed:
    """The first data set of a folder."""
    return index_layout(kind, folder, Choices(**choices))[0]  # type: ignore[arg-type]


def shows(case: Case, values: dict[str, int], number: int, channel: int = 0) -> bool:
    """Whether image and label fit voxel by voxel: the fakes paint each value in its grey."""
    label = sum(case.mask(name).astype(np.int16) * value for name, value in values.items())
    return bool((case.volume(channel).array == grey(np.asarray(label), number)).all())


def splits(dataset: Dataset) -> dict[str, str]:
    return {case.id: case.split for case in dataset.cases}


# ---- volumes ----


def test_btcv_is_found_at_every_depth_and_divided_by_the_seed(tmp_path: Path) -> None:
    root = fake_layouts.btcv(tmp_path / "BTCV", 10)
    made = index("btcv", root)
    assert made.path == root / "RawData/Training/dataset.json"
    values = {name: value for value, name in made.dataset.labels.items()}
    assert all(shows(case, values, n) for n, case in enumerate(made.dataset.cases[:2], 1))
    assert [len(made.dataset.split(s)) for s in ("train", "val", "test")] == [7, 1, 2]
    first = made.path.read_bytes()
    assert index("btcv", root / "RawData").path.read_bytes() == first
    other = splits(index("btcv", root, seed=1, val=0.3).dataset)
    assert list(other.values()).count("val") == 3 and other != splits(made.dataset)
    (root / "RawData/Training/label/label0003.nii.gz").unlink()
    with pytest.raises(InputError, match=r"'img0003\.nii\.gz' has no label map"):
        index("btcv", root)


def test_a_stopped_index_is_not_written(tmp_path: Path) -> None:
    root = fake_layouts.btcv(tmp_path, 4)
    with pytest.raises(Cancelled):
        index_layout("btcv", root, progress=lambda done, total, text: done < 2)
    assert not list(root.rglob("*.json"))


def test_both_spellings_of_brats(tmp_path: Path) -> None:
    old = index("brats", fake_layouts.brats(tmp_path / "old")).dataset
    assert old.info["channels"] == ["flair", "t1ce", "t1", "t2"] and old.labels[4].startswith("enh")
    values = {"necrosis": 1, "edema": 2, "enhancing tumor": 4}
    assert all(shows(old.cases[1], values, 100 * c + 1, c) for c in range(4))
    assert old.cases[0].mask("whole tumor").sum() == 3 * 2 * 16
    made = index("brats", fake_layouts.brats(tmp_path / "new", new=True), sequences=("t2", "flair"))
    new = made.dataset
    assert new.name == "brats_gli" and new.labels[3] == "enhancing tumor"
    assert {c.patient for c in new.cases[:2]} == {"BraTS-GLI-00000"}, "two times of one patient"
    assert new.cases[0].split == new.cases[1].split
    values = {"necrosis": 1, "edema": 2, "enhancing tumor": 3}
    assert shows(new.cases[0], values, 300) and shows(new.cases[0], values, 0, 1)
    (tmp_path / "old/BraTS2021_00003/BraTS2021_00003_seg.nii.gz").unlink()
    made = index("brats", tmp_path / "old")
    assert made.notes == (
        "Patients without a seg file, left out: 1, the first is 'BraTS2021_00003'.",
    )
    (tmp_path / "old/BraTS2021_00001/BraTS2021_00001_t1.nii.gz").unlink()
    with pytest.raises(InputError, match="'BraTS2021_00001' has no t1 image"):
        index("brats", tmp_path / "old")
    with pytest.raises(InputError, match="mixes years"):
        index("brats", tmp_path, sequences=("t2",))


def test_a_decathlon_task_keeps_its_own_file(tmp_path: Path) -> None:
    task = fake_layouts.msd(tmp_path)
    published = (task / "dataset.json").read_bytes()
    made = index("msd", task)
    assert made.path == task / "textpromptseg.json"
    assert (task / "dataset.json").read_bytes() == published
    case = Dataset.read(task).cases[2]
    assert shows(case, {"liver parenchyma": 1, "liver tumor": 2}, 2)
    assert case.mask("liver").sum() == 2 * case.mask("liver tumor").sum(), "the tumor is liver, too"
    frames = index("msd", fake_layouts.msd(tmp_path / "more", frames=2), sequences=("ADC",)).dataset
    assert frames.cases[0].volume().array.min() == 520, "the second frame of the file"
    assert frames.cases[0].extra["frames"] == [1]
    shutil.move(task, tmp_path / "liver")
    with pytest.raises(InputError, match="which task"):
        index("msd", tmp_path / "liver")
    with pytest.raises(InputError, match="name the folder of a task"):
        index("msd", tmp_path)


def test_flare_of_another_year_is_named(tmp_path: Path) -> None:
    root = fake_layouts.flare(tmp_path / "22", 2022)
    made = index("flare22", root)
    values = {name: value for value, name in made.dataset.labels.items()}
    assert shows(made.dataset.cases[0], values, 1) and len(made.dataset.cases) == 6
    assert made.dataset.cases[0].id == "FLARE22_Tr_0001"
    with pytest.raises(InputError, match="value 5, which is none of the layout's labels"):
        index("flare21", root)
    (root / "imagesTr" / "FLARE22_Tr_0003_0000.nii.gz").unlink()
    with pytest.raises(InputError, match=r"'FLARE22_Tr_0003\.nii\.gz' has no volume"):
        index("flare22", root)
    with pytest.raises(InputError, match="none of FLARE's pairs"):
        index("flare21", tmp_path)


def test_image_and_label_of_two_sizes_are_refused(tmp_path: Path) -> None:
    root = fake_layouts.flare(tmp_path, patients=4)
    save(root / "TrainingMask/train_002.nii.gz", np.zeros((2, 24, 24), np.uint8))
    with pytest.raises(InputError, match="Image and label of 'train_002' differ in size"):
        index("flare21", root)


# ---- DICOM with PNG ----


@pytest.mark.parametrize("uid", ["1.2.3.1", None], ids=["one series", "a series for each slice"])
def test_chaos_masks_lie_on_their_slices(tmp_path: Path, uid: str | None) -> None:
    root = fake_layouts.chaos(tmp_path, 3, uid)
    mr, ct = index_layout("chaos", root)
    assert mr.path == root / "Train_Sets/MR/dataset.json" and ct.dataset.name == "ct_liver_chaos"
    values = {"liver": 1, "right kidney": 2, "left kidney": 3, "spleen": 4}
    case_of = {case.id: case for case in mr.dataset.cases}
    for sequence, extra in (("t1dual_in", 0), ("t1dual_out", 300), ("t2spir", 600)):
        case = case_of[f"chaos_mr_2_{sequence}"]
        assert shows(case, values, 2 + extra) and case.patient == "chaos_mr_2"
        assert case.image_paths[0].is_dir() is (uid is not None)
    first = ct.dataset.cases[0]
    assert shows(first, {"liver": 1}, 1), "the slices lie downwards in the order of their names"
    one_bit = root / "Train_Sets/CT/1/Ground/liver_GT_001.png"
    Image.open(one_bit).convert("1").save(one_bit)  # as some of the published masks are
    assert shows(index_layout("chaos", root)[1].dataset.cases[0], {"liver": 1}, 1)
    assert first.volume().modality == "CT" and first.mask("liver")[-1].sum() == 0
    label, image = sitk.ReadImage(str(first.label)), first.volume().to_sitk()
    assert np.allclose(label.GetOrigin(), image.GetOrigin())
    only = index("chaos", root / "Train_Sets" / "MR", sequences=("t2-spir",)).dataset
    assert {case.extra["sequence"] for case in only.cases} == {"T2-SPIR"}


def test_chaos_with_a_slice_too_few_or_a_strange_grey(tmp_path: Path) -> None:
    root = fake_layouts.chaos(tmp_path, 3)
    ground = root / "Train_Sets/MR/2/T2SPIR/Ground"
    save(ground / "IMG-0002-00002.png", np.full((24, 24), 90, np.uint8))
    with pytest.raises(InputError, match="the grey 90, which is no organ"):
        index("chaos", root)
    (ground / "IMG-0002-00002.png").unlink()
    with pytest.raises(InputError, match="MR 2 T2-SPIR: 3 slices and 2 masks"):
        index("chaos", root)


# ---- MATLAB ----


def test_figshare_by_published_fold_or_by_patient(tmp_path: Path) -> None:
    root = fake_layouts.figshare(tmp_path / "a")
    made = index("figshare", root)
    for number, case in enumerate(made.dataset.cases, 1):
        (name,) = case.present
        mask = case.mask(name)[0] > 0
        assert name == ("meningioma", "glioma", "pituitary tumor")[number % 3]
        assert mask[4:9, 3 : 6 + number % 5].all() and mask.sum() == 5 * (3 + number % 5)
        assert (case.volume().array[0][mask] == 940 + number).all(), "no grey is lost"
        assert (case.split == "test") is (((number + 1) // 2) % 3 == 0)
        assert case.patient == f"{100000 + (number + 1) // 2}"
    second = splits(index("figshare", root, fold=2).dataset)
    assert second["fig_0001"] == "test" and second["fig_0005"] != "test"
    with pytest.raises(InputError, match="no fold 9; use 1 to 3"):
        index("figshare", root, fold=9)
    (root / "cvind.mat").unlink()
    drawn = index("figshare", root)
    assert "cvind" in drawn.notes[0] and "cvind" in drawn.dataset.info["caution"]
    (root / "brainTumorDataPublic_1-2" / "2.mat").write_bytes(b"MATLAB 5.0 MAT-file")
    with pytest.raises(InputError, match=r"'2\.mat' is no MATLAB 7\.3 file"):
        index("figshare", root)


# ---- class folders ----


def test_class_folders_know_masks_from_pictures(tmp_path: Path) -> None:
    """Four pictures of a class with four masks were eight cases, each picture its own mask."""
    made = index("kaggle", fake_layouts.kaggle(tmp_path))
    cases = made.dataset.cases
    assert len(cases) == 16 and not [c.id for c in cases if "mask" in c.id]
    assert made.notes[0].startswith("Pictures of the classes without a mask, left out: 1.")
    for case in cases:
        names = [n for n in made.dataset.labels.values() if case.is_present(n)]
        folder = case.image_paths[0].parent.name
        assert names == ([] if folder == "No Tumor" else [folder.lower()])
        if names:  # the noise of the published masks is not drawn
            assert case.mask(names[0])[0, 3:7, 4:9].all() and case.mask(names[0]).sum() == 20
            assert case.mask("glioma").sum() == 20 * (names == ["glioma"])
    (tmp_path / "Brain Tumor Segmentation/Glioma/enh_2.png").unlink()
    with pytest.raises(InputError, match=r"mask 'enh_2_mask\.png' in 'Glioma' has no picture"):
        index("kaggle", tmp_path)


def test_copies_of_a_picture_stay_in_one_split(tmp_path: Path) -> None:
    root = fake_layouts.kaggle(tmp_path)
    place = root / "Brain Tumor Segmentation"
    for number in (1, 2, 3, 4):
        shutil.copy(place / "Glioma" / f"enh_{number}.png", place / f"Meningioma/enh_{number}.png")
    for seed in range(3):
        split = splits(index("kaggle", root, seed=seed).dataset)
        pairs = [[v for k, v in split.items() if k.endswith(f"oma/enh_{n}")] for n in (1, 2, 3, 4)]
        assert all(len(pair) == 2 and len(set(pair)) == 1 for pair in pairs)


def test_folders_of_a_split_above_the_classes(tmp_path: Path) -> None:
    root = fake_layouts.kaggle(tmp_path)
    shutil.move(root / "Brain Tumor Segmentation", root / "Train")
    for name in ("Glioma", "Meningioma"):
        (root / "Test" / name).mkdir(parents=True)
        for end in (".png", "_mask.png"):
            shutil.move(root / "Train" / name / f"enh_4{end}", root / "Test" / name)
    dataset = index("kaggle", root).dataset
    assert {c.id for c in dataset.split("test")} == {"Test/Glioma/enh_4", "Test/Meningioma/enh_4"}
    assert dataset.split("val")
    shutil.copy(root / "Train/Glioma/enh_1.png", root / "Test/Glioma/enh_4.png")
    with pytest.raises(InputError, match=r"\(the same as 'enh_\d\.png'\) is in \w+ and in \w+"):
        index("kaggle", root)
    made = index("kaggle", root, allow_copies=True)
    assert "(--allow-copies): 1." in made.dataset.info["caution"]


# ---- pictures with LViT's tables ----


def test_one_train_folder_with_tables_of_train_and_val(tmp_path: Path) -> None:
    """All pictures of the folder were in both splits."""
    made = index("qata", fake_layouts.qata(tmp_path))
    split = splits(made.dataset)
    assert split == {
        **{f"covid_{n}": "train" for n in range(6)},
        **{f"covid_{n}": "val" for n in (6, 7)},
        **{f"test-covid_{n}": "test" for n in (50, 51, 52)},
    }
    for case in made.dataset.cases:
        number = int(case.id.rsplit("_", 1)[1])
        assert case.extra["text"] == f"Bilateral pulmonary infection, {number} areas."
        assert case.volume().array.max() == 10 + number
        assert case.mask("COVID-19 infection").sum() == 12


def test_a_picture_in_two_tables_is_refused_and_one_in_none_left_out(tmp_path: Path) -> None:
    root = fake_layouts.qata(tmp_path)
    fake_layouts.write_table(root / "Val_ID.xlsx", {"mask_covid_1.png": None})
    with pytest.raises(InputError, match=r"'covid_1\.png' is in train and in val: two tables"):
        index("qata", root)
    fake_layouts.write_table(root / "Val_ID.xlsx", {"mask_covid_7.png": None})
    made = index("qata", root)
    assert "covid_6" not in splits(made.dataset)
    assert "left out: 1, the first is 'covid_6.png'" in made.notes[0]
    fake_layouts.write_table(root / "Val_ID.xlsx", {"mask_covid_77.png": None})
    with pytest.raises(
        InputError, match="names 1 pictures that are not there, the first is 'covid_77"
    ):
        index("qata", root)
    for name in ("Train_ID", "Val_ID"):
        (root / f"{name}.xlsx").unlink()
    drawn = [v for k, v in splits(index("qata", root).dataset).items() if k.startswith("covid")]
    assert sorted(drawn) == ["train"] * 6 + ["val"] * 2
    (root / "Train Set/Ground-truths/mask_covid_3.png").unlink()
    with pytest.raises(InputError, match=r"'covid_3\.png' has no mask"):
        index("qata", root)


def test_folders_as_lvits_script_makes_them(tmp_path: Path) -> None:
    """The table of Train holds Val's texts as well: the folders divide."""
    made = index("qata", fake_layouts.lvit_folders(tmp_path))
    split = {c.id: (c.split, c.extra["text"]) for c in made.dataset.cases}
    assert split["covid_3"] == ("train", "Text 3.") and split["covid_4"] == ("val", "Text 4.")
    assert split["test-covid_6"] == ("test", "Text 6.") and len(split) == 8
    (tmp_path / "scanners.csv").write_text("Name,Maker\nroom 5,X\n", "utf-8")
    assert "'scanners.csv' names no picture" in index("qata", tmp_path).notes[0]
    for part, name in (("img", "covid_0.png"), ("labelcol", "mask_covid_0.png")):
        shutil.copy(tmp_path / "Train_Folder" / part / name, tmp_path / "Val_Folder" / part / name)
    with pytest.raises(InputError, match=r"both hold a picture 'covid_0\.png'"):
        index("qata", tmp_path)


def test_studies_that_cross_the_published_splits_are_told(tmp_path: Path) -> None:
    made = index("mosmed", fake_layouts.mosmed(tmp_path))
    assert "in more than one split, as published: 1;" in made.notes[0]
    assert made.dataset.info["caution"] == made.notes[0]
    assert made.dataset.cases[0].patient == "morozov_study_0255"
    for table in tmp_path.glob("*.xlsx"):
        table.unlink()
    drawn = index("mosmed", tmp_path)
    patients = {c.patient: c.split for c in drawn.dataset.cases}
    assert all(patients[c.patient] == c.split for c in drawn.dataset.cases) and not drawn.notes
    assert len(patients) == 4


# ---- tables ----


def test_tables_of_every_kind_say_the_same(tmp_path: Path) -> None:
    from TextPromptSegLib.data.layouts.tables import read_table

    rows = {"mask_covid_1.png": "One, left.", "Mask_Covid_2.PNG": "Two."}
    fake_layouts.write_table(tmp_path / "a.xlsx", rows)
    lines = [
        ("Nr", "Description", "Image"),
        ("1", "One, left.", "covid_1.png"),
        ("2", "Two.", "covid_2"),
    ]
    (tmp_path / "a.csv").write_text("\n".join(f'{a},"{b}",{c}' for a, b, c in lines), "utf-8")
    (tmp_path / "a.tsv").write_text(
        "covid\twords\ncovid_1.png\tOne, left.\ncovid_2\tTwo.\n", "utf-8"
    )
    found = [read_table(tmp_path / f"a.{end}") for end in ("xlsx", "csv", "tsv")]
    assert found[0] == found[1] == found[2] == {"covid_1": "One, left.", "covid_2": "Two."}
    (tmp_path / "b.csv").write_text("Image,Text\na.png,One\nmask_a.png,Two\n", "utf-8")
    (tmp_path / "b.xlsx").write_bytes((tmp_path / "a.xlsx").read_bytes()[:900])
    (tmp_path / "c.csv").write_text("", "utf-8")
    for name, why in (
        ("b.csv", "says two things of 'mask_a"),
        ("b.xlsx", "damaged"),
        ("c.csv", "empty"),
    ):
        with pytest.raises(InputError, match=why):
            read_table(tmp_path / name)


# ---- any index ----


@pytest.mark.parametrize("kind", ["btcv", "chaos", "figshare", "kaggle", "mosmed", "msd", "qata"])
def test_another_folder_is_refused_with_one_sentence(kind: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^[^\n]+$"):
        index(kind, tmp_path)


def test_an_index_written_by_hand_is_checked_as_well(tmp_path: Path) -> None:
    root = fake_layouts.btcv(tmp_path, 4)
    path = index("btcv", root).path
    values = json.loads(path.read_text())
    cases = values["cases"]
    cases[1]["image"] = cases[0]["image"]
    cases[0]["split"], cases[1]["split"] = "train", "val"
    path.write_text(json.dumps(values))
    with pytest.raises(InputError, match=r"'img0001\.nii\.gz' is in train and in val"):
        Dataset.read(path)
    cases[1]["image"], cases[1]["split"] = cases[1]["label"], "train"
    path.write_text(json.dumps(values))
    with pytest.raises(InputError, match=r"'label0002\.nii\.gz' is its own mask"):
        Dataset.read(path)
    with pytest.raises(InputError, match="no layout 'dog'; use btcv"):
        index("dog", root)
    with pytest.raises(InputError, match="too few for train, val and test"):
        index("btcv", root, val=0.45, test=0.5)
    shutil.copy(
        root / "RawData/Training/label/label0003.nii.gz",
        root / "RawData/Training/img/img0003.nii.gz",
    )
    with pytest.raises(InputError, match=r"'img0003\.nii\.gz' is its own mask"):
        index("btcv", root)
