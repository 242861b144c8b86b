"""Tiny data sets in the exact layouts of their publishers: names, folders, kinds of files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import SimpleITK as sitk
import synthetic_dicom
from PIL import Image

SIDE = 24
AIR = -1000


def save(path: Path, array: np.ndarray) -> Path:
    """Write NIfTI or PNG by the ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        Image.fromarray(array).save(path)
        return path
    image = sitk.GetImageFromArray(array, isVector=False)
    image.SetSpacing((0.8, 0.8, 2.5, 1.0)[: image.GetDimension()])
    sitk.WriteImage(image, str(path))
    return path


def blocks(values: Iterable[int], number: int = 0, slices: int = 3) -> np.ndarray:
    """A label map (K, J, I) with a block of 4 x 4 x (K - 1) voxels for each value."""
    label = np.zeros((slices, SIDE, SIDE), np.uint8)
    for place, value in enumerate(values):
        row, column = divmod(place, 4)
        label[1:, 1 + 5 * row : 5 + 5 * row, 1 + 5 * column : 5 + 5 * column] = value
    label[0, -1, -1] = 0
    return label


def grey(label: np.ndarray, number: int, step: int = 15) -> np.ndarray:
    """An image that shows the label: each value has its grey, each patient another one."""
    return (label.astype(np.int16) * step + 20 + number).astype(np.int16)


def btcv(root: Path, patients: int = 6) -> Path:
    for number in range(1, patients + 1):
        label = blocks(range(1, 14), number)
        save(root / f"RawData/Training/label/label{number:04d}.nii.gz", label)
        save(root / f"RawData/Training/img/img{number:04d}.nii.gz", grey(label, number))
    save(root / "RawData/Testing/img/img0061.nii.gz", grey(label, 61))
    return root


def brats(root: Path, patients: int = 6, new: bool = False) -> Path:
    """BraTS 2021, or (new) the spelling since 2023 with two time points of the first patient."""
    for number in range(patients):
        label = blocks((1, 2, 3) if new else (1, 2, 4), number)
        name = f"BraTS-GLI-{max(0, number - 1):05d}-{int(number == 1):03d}"
        name = name if new else f"BraTS2021_{number:05d}"
        words = ("t2f", "t1c", "t1n", "t2w") if new else ("flair", "t1ce", "t1", "t2")
        mark = "-" if new else "_"
        for place, word in enumerate(words):
            save(root / name / f"{name}{mark}{word}.nii.gz", grey(label, 100 * place + number))
        save(root / name / f"{name}{mark}seg.nii.gz", label)
    return root


def msd(root: Path, patients: int = 6, frames: int = 1) -> Path:
    """Task03_Liver, or a four-dimensional Task05_Prostate."""
    task = root / ("Task05_Prostate" if frames > 1 else "Task03_Liver")
    names = {"0": "T2", "1": "ADC"} if frames > 1 else {"0": "CT"}
    for number in range(patients):
        label = blocks((1, 2), number)
        image = grey(label, number)
        if frames > 1:
            image = np.stack([image, image + 500])
        stem = f"{'prostate' if frames > 1 else 'liver'}_{number:02d}"
        save(task / f"imagesTr/{stem}.nii.gz", image)
        save(task / f"labelsTr/{stem}.nii.gz", label)
    (task / "imagesTr" / "._liver_00.nii.gz").write_bytes(b"of a Mac")
    facts = {"name": "X", "modality": names, "labels": {"0": "background", "1": "a", "2": "b"}}
    (task / "dataset.json").write_text(json.dumps({**facts, "training": [], "test": []}))
    return task


def flare(root: Path, year: int = 2021, patients: int = 6) -> Path:
    folders = ("TrainingImg", "TrainingMask") if year == 2021 else ("imagesTr", "labelsTr")
    for number in range(1, patients + 1):
        label = blocks(range(1, 5 if year == 2021 else 14), number)
        stem = f"train_{number:03d}" if year == 2021 else f"FLARE22_Tr_{number:04d}"
        save(root / folders[0] / f"{stem}_0000.nii.gz", grey(label, number))
        save(root / folders[1] / f"{stem}.nii.gz", label)
    save(root / folders[0] / "train_999_0000.nii.gz", grey(label, 99))  # unlabelled
    return root


MR_GREY = {1: 63, 2: 126, 3: 189, 4: 252}


def dicom_slices(
    folder: Path,
    volume: np.ndarray,
    names: list[str],
    modality: str,
    downwards: bool = False,
    uid: str | None = "1.2.3.1",
) -> None:
    """Write slices under the names in the order of the array, lying up- or downwards."""
    for k, (plane, name) in enumerate(zip(volume, names, strict=True)):
        height = -3.0 * k if downwards else 3.0 * k
        data = synthetic_dicom.image(
            plane.astype(np.uint16),
            modality,
            series=uid or f"1.2.3.{k + 1}",
            ImagePositionPatient=[0.0, 0.0, height],
            ImageOrientationPatient=list(synthetic_dicom.AXIAL),
            PixelSpacing=[0.8, 0.8],
            SliceThickness=3.0,
            InstanceNumber=k + 1,
        )
        synthetic_dicom.save(data, folder / name)


def chaos(root: Path, patients: int = 5, uid: str | None = "1.2.3.1") -> Path:
    """Train_Sets with MR and CT; slices of CT lie downwards in the order of their names."""
    for number in range(1, patients + 1):
        label = blocks((1, 2, 3, 4), number)
        shades = np.vectorize({0: 0, **MR_GREY}.get)(label).astype(np.uint8)
        mr = root / "Train_Sets" / "MR" / str(number)
        odd = [f"IMG-0004-{2 * k + 1:05d}" for k in range(len(label))]
        even = [f"IMG-0004-{2 * k + 2:05d}" for k in range(len(label))]
        single = [f"IMG-0002-{k + 1:05d}" for k in range(len(label))]
        for part, names, extra in (
            ("T1DUAL/DICOM_anon/InPhase", even, 0),
            ("T1DUAL/DICOM_anon/OutPhase", odd, 300),
            ("T2SPIR/DICOM_anon", single, 600),
        ):
            files = [f"{name}.dcm" for name in names]
            dicom_slices(mr / part, grey(label, number + extra), files, "MR", uid=uid)
        for name, other, plane in zip(even, single, shades, strict=True):
            save(mr / "T1DUAL/Ground" / f"{name}.png", plane)
            save(mr / "T2SPIR/Ground" / f"{other}.png", plane)
        ct = root / "Train_Sets" / "CT" / str(number)
        files = [f"i{k:04d},0000b.dcm" for k in range(len(label))]
        dicom_slices(ct / "DICOM_anon", grey(label == 1, number), files, "CT", downwards=True)
        for k, plane in enumerate(label == 1):
            save(ct / "Ground" / f"liver_GT_{k:03d}.png", plane.astype(np.uint8) * 255)
    (root / "Test_Sets" / "MR" / "4" / "T2SPIR" / "DICOM_anon").mkdir(parents=True)
    return root


def figshare(root: Path, slices: int = 12, folds: bool = True) -> Path:
    """MATLAB 7.3 files, columns first; two slices a patient, a patient in one fold."""
    import h5py

    for number in range(1, slices + 1):
        mask = np.zeros((SIDE, SIDE), np.uint8)
        mask[4:9, 3 : 6 + number % 5] = 1
        folder = root / f"brainTumorDataPublic_{1 if number <= 6 else 7}-{number}"
        folder.mkdir(parents=True, exist_ok=True)
        patient = f"{100000 + (number + 1) // 2}"
        with h5py.File(folder / f"{number}.mat", "w") as stored:
            group = stored.create_group("cjdata")
            group["image"] = (mask.astype(np.int16) * 900 + 40 + number).T
            group["tumorMask"] = mask.T
            group["label"] = np.array([[1.0 + number % 3]])
            group["PID"] = np.array([[ord(c)] for c in patient], np.uint16)
            group["tumorBorder"] = np.zeros((8, 1))
    if folds:
        with h5py.File(root / "cvind.mat", "w") as stored:
            stored["cvind"] = np.array([[1 + ((n + 1) // 2) % 3 for n in range(1, slices + 1)]])
    return root


def kaggle(root: Path, each: int = 4) -> Path:
    """Class folders with ``_mask`` beside the pictures, masks with the noise of a JPEG."""
    place = root / "Brain Tumor Segmentation"
    for shade, name in enumerate(("Glioma", "Meningioma", "Pituitary tumor", "No Tumor")):
        for number in range(1, each + 1):
            image = np.full((SIDE, SIDE), 30 + 40 * shade + number, np.uint8)
            image[3:7, 4:9] += 60
            save(place / name / f"enh_{number}.png", image)
            mask = np.full((SIDE, SIDE), number % 2 * 3, np.uint8)
            mask[3:7, 4:9] = 255
            if shade < 3:
                save(place / name / f"enh_{number}_mask.png", mask)
    save(place / "Glioma" / "enh_99.png", image + 60)
    return root


def write_table(path: Path, rows: Mapping[str, str | None]) -> None:
    """Write LViT's XLSX: Image and Description, or Image alone."""
    import openpyxl

    path.parent.mkdir(parents=True, exist_ok=True)
    book = openpyxl.Workbook()
    one = all(text is None for text in rows.values())
    book.active.append(["Image"] if one else ["Image", "Description"])
    for name, text in rows.items():
        book.active.append([name] if one else [name, text])
    book.save(path)


def covid_picture(number: int) -> tuple[np.ndarray, np.ndarray]:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[5:9, 3:6] = 255
    image = np.where(mask > 0, 10 + number, 5).astype(np.uint8)
    return image, mask


def qata(root: Path, learn: int = 8, test: int = 3) -> Path:
    """QaTa-COV19-v2 as on Kaggle, with the tables that LViT publishes."""
    for part, numbers in (("Train Set", range(learn)), ("Test Set", range(50, 50 + test))):
        for number in numbers:
            image, mask = covid_picture(number)
            save(root / part / "Images" / f"covid_{number}.png", image)
            save(root / part / "Ground-truths" / f"mask_covid_{number}.png", mask)
    said = {n: f"Bilateral pulmonary infection, {n} areas." for n in range(60)}
    names = [f"mask_covid_{n}.png" for n in range(learn)]
    write_table(root / "Train_ID.xlsx", dict.fromkeys(names[:-2]))
    write_table(root / "Val_ID.xlsx", dict.fromkeys(names[-2:]))
    texts = {name: said[n] for n, name in enumerate(names)}
    write_table(root / "Train_text_for_Covid19.xlsx", texts)
    tests = {f"covid_{n}": said[n] for n in range(50, 50 + test)}
    write_table(root / "Test_text_for_Covid19.xlsx", tests)
    return root


def mosmed(root: Path, slices: int = 10) -> Path:
    """MosMedData+ as on Kaggle (one folder), with LViT's three tables; studies cross the splits."""
    names = [f"Morozov_study_{255 + n // 3:04d}_{n}.png" for n in range(slices)]
    for number, name in enumerate(names):
        image, mask = covid_picture(number)
        save(root / "frames" / name, image)
        save(root / "masks" / name, mask)
    for title, part in (
        ("Train_text_MosMedData+ 1", names[:-4]),
        ("Val_text_MosMedData+ 1", names[-4:-2]),
        ("Test_text_MosMedData+", names[-2:]),
    ):
        write_table(root / f"{title}.xlsx", {name: f"Text of {name}." for name in part})
    return root


def lvit_folders(root: Path) -> Path:
    """The layout that LViT's own script makes: a folder with its table for each split."""
    for number, part in enumerate(["Train"] * 4 + ["Val"] * 2 + ["Test"] * 2):
        image, mask = covid_picture(number)
        save(root / f"{part}_Folder" / "img" / f"covid_{number}.png", image)
        save(root / f"{part}_Folder" / "labelcol" / f"mask_covid_{number}.png", mask)
    for part, numbers in (("Train", range(6)), ("Val", (4, 5)), ("Test", (6, 7))):
        rows = {f"mask_covid_{n}.png": f"Text {n}." for n in numbers}
        write_table(root / f"{part}_Folder" / f"{part}_text.xlsx", rows)
    return root
