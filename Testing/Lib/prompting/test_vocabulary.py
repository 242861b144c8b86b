"""The vocabulary: every data set label, complete entries, names that mean one thing."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from TextPromptSegLib.outcome import InputError, PromptError
from TextPromptSegLib.prompting.vocabulary import Vocabulary
from TextPromptSegLib.resources import resource_path

VOCABULARY = Vocabulary.load()
ENTRIES = list(VOCABULARY)
PAIRED = [entry for entry in ENTRIES if entry.paired]
SINGLE = [entry for entry in ENTRIES if not entry.paired]
# Names of labels and groups in ../shared/data, with the canonical name where it is another one.
DATASET_NAMES = """
spleen; right kidney; left kidney; kidney=kidneys; kidneys; gallbladder; esophagus; liver;
stomach; aorta; inferior vena cava; portal and splenic vein; pancreas; right adrenal gland;
adrenal glands; left adrenal gland; left upper lung lobe; left lower lung lobe; right middle lung
lobe; left lung; right lower lung lobe; small bowel; duodenum; colon; urinary bladder; prostate;
sacrum; lungs; ribs; S1 vertebra; L5 vertebra; T12 vertebra; T9 vertebra; left iliac artery; right
iliac vein; left femur; right hip bone; spinal cord; left gluteus maximus; right gluteus medius;
left gluteus minimus; right deep back muscle; left iliopsoas muscle; left rib 7; right rib 12;
costal cartilage; vertebrae; infection=pulmonary infection; COVID-19 infection; heart; trachea;
pulmonary artery; kidney tumor; lung nodule; left atrium of heart; left ventricle of heart; left
ventricle=left ventricle of heart; right ventricle=right ventricle of heart; myocardium; right
atrium of heart; cardiomediastinum; airways; ground-glass opacity; consolidation; pleural
effusion; pneumothorax; lung opacity; right clavicle; spine; intervertebral discs; anterior
hippocampus; posterior hippocampus; hippocampus; brain lesion; white matter lesion; necrosis;
edema; non-enhancing tumor; enhancing tumor; whole tumor; tumor core; meningioma; glioma;
pituitary tumor;
epidural hemorrhage; intraparenchymal hemorrhage; intraventricular hemorrhage; subarachnoid
hemorrhage; subdural hemorrhage; intracranial hemorrhage; bowel; large bowel; left cerebral white
matter; right cerebral cortex; cerebral cortex; cerebral white matter; left cerebellar white matter;
right cerebellar cortex; left ventral diencephalon; amygdala=amygdalae; thalamus=thalami;
putamen=putamens; caudate nucleus=caudate nuclei; globus pallidus=globi pallidi; left nucleus
accumbens; brainstem; ventricles=ventricles of brain; third ventricle; air cavities=air cavities of
head; white matter=cerebral white matter; gray matter; skull; scalp and soft tissue; heart chambers;
left atrium=left atrium of heart; right atrium=right atrium of heart; superior vena cava; upper
vertebra; partly visible vertebra; spinal canal; L5-S1 disc; L1-L2 disc; T12-L1 disc; upper disc
"""
LABELS = [
    tuple(f"{name}={name}".split("=")[:2])
    for name in (" ".join(item.split()) for item in DATASET_NAMES.split(";"))
]

# ---- data ----


def test_there_are_enough_structures_and_findings_in_every_region() -> None:
    assert len(VOCABULARY) >= 150
    assert sum(entry.kind == "finding" for entry in ENTRIES) >= 50
    for region in ("head", "neck", "chest", "abdomen", "pelvis", "limbs"):
        assert sum(region in entry.regions for entry in ENTRIES) >= 10, region


def test_entry_is_complete() -> None:
    for entry in ENTRIES:
        assert entry.kind in ("anatomy", "finding")
        assert entry.name and entry.plural and entry.unsided
        assert entry.synonyms or entry.base, "a synonym is what a prompt template varies"
        assert all(0 <= channel <= 255 for channel in entry.colour)
        assert entry.kind == "finding" or entry.regions
        for name in filter(None, (entry.parent, entry.container, entry.base)):
            assert name in {e.name for e in ENTRIES}
        if entry.parent:
            assert entry.name in VOCABULARY.entry(entry.parent).parts
        if entry.container:
            assert entry.kind == "finding" and VOCABULARY.entry(entry.container).kind == "anatomy"
        if entry.expected_side:
            assert not entry.paired


def test_parents_do_not_run_in_a_circle() -> None:
    for entry in ENTRIES:
        seen = []
        while entry.parent:
            assert entry.name not in seen
            seen.append(entry.name)
            entry = VOCABULARY.entry(entry.parent)


# ---- finding ----


@pytest.mark.parametrize(("label", "canonical"), LABELS)
def test_labels_of_data_sets_have_canonical_names(label: str, canonical: str) -> None:
    match = VOCABULARY.find(label)
    assert match is not None and match.name == canonical


def test_every_label_and_group_of_the_real_data_resolves(shared_data: Path) -> None:
    labels = set()
    for file in sorted(shared_data.glob("*/dataset.json")):
        dataset = json.loads(file.read_text())
        groups = dataset.get("groups") or {}
        labels |= set(dataset["labels"].values()) | set(groups) | set(chain(*groups.values()))
    assert len(labels) > 100
    assert [label for label in sorted(labels) if VOCABULARY.find(label) is None] == []
    known = dict(LABELS)
    others = {label: VOCABULARY.find(label).name for label in labels}
    others = {label: name for label, name in others.items() if name != label}
    assert others == {label: known.get(label) for label in others}, "trained names must not move"


def test_every_way_to_write_a_name_finds_its_entry() -> None:
    for entry in ENTRIES:
        words = [entry.name, entry.plural, entry.unsided, *entry.synonyms, *entry.abbreviations]
        words += chain(*entry.languages.values())
        for text in words:
            for written in (text, text.upper(), text.replace("-", " "), f"the {text}", f" {text} "):
                match = VOCABULARY.find(written)
                assert match is not None and match.structure == entry.name, written
                assert match.name == entry.unsided and match.side is None


def test_paired_structures_take_a_side() -> None:
    for entry in PAIRED:
        for side in ("left", "right"):
            for text in (f"{side} {entry.name}", f"{entry.name} {side}", f"{side} {entry.plural}"):
                match = VOCABULARY.find(text)
                assert match is not None and match.name == f"{side} {entry.name}", text
                assert (match.structure, match.side) == (entry.name, side)
        for short, side in entry.side_abbreviations:
            assert VOCABULARY.find(short).name == f"{side} {entry.name}"
        assert VOCABULARY.find(f"both {entry.plural}").name == entry.unsided


def test_single_structures_take_no_side() -> None:
    for entry in SINGLE:
        for side in ("left", "right"):
            match = VOCABULARY.find(f"{side} {entry.name}")
            # "left pulmonary artery" is a single structure too, "right middle lobe" the only one
            assert match is None or (match.side is None and side in match.structure.split())


def test_left_and_right_chambers_of_the_heart_are_structures_of_their_own() -> None:
    for chamber in ("ventricle", "atrium"):
        for side in ("left", "right"):
            match = VOCABULARY.find(f"{side} {chamber}")
            assert match.structure == f"{side} {chamber} of heart" and match.side is None


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("Oesophagus", "esophagus"),
        ("œsophage", "esophagus"),
        ("pulmonary oedema", None),
        ("peritumoural oedema", "edema"),
        ("brain tumour", "brain tumor"),
        ("haemorrhage", "hemorrhage"),
        ("lung_upper_lobe_left", "left upper lung lobe"),
        ("upper lobe of the left lung", "left upper lung lobe"),
        ("T 9", "T9 vertebra"),
        ("ninth thoracic vertebra", "T9 vertebra"),
        ("7th left rib", "left rib 7"),
        ("intervertebral disks", "intervertebral discs"),
        ("hepatic parenchyma", "liver"),
        ("suprarenal gland", "adrenal glands"),
        ("GGO", "ground-glass opacity"),
        ("ground glass opacities", "ground-glass opacity"),
        ("IVC", "inferior vena cava"),
        ("LV", "left ventricle of heart"),
        ("RUL", "right upper lung lobe"),
        ("linke Niere", "left kidney"),
        ("rein gauche", "left kidney"),
        ("Bauchspeicheldrüse", "pancreas"),
        ("vésicule biliaire", "gallbladder"),
        ("renal cyst", "kidney cyst"),
        ("hepatic neoplasm", "liver tumor"),
        ("tumor of the kidney", "kidney tumor"),
        ("left left kidney", "left kidney"),
        ("left right kidney", None),
        ("left liver", None),
        ("kidney liver", None),
        ("", None),
        ("left", None),
        ("肝", "liver"),
        ("猫", None),
    ],
)
def test_find(written: str, canonical: str | None) -> None:
    match = VOCABULARY.find(written)
    assert (match.name if match else None) == canonical


@given(st.text(max_size=60))
def test_find_and_suggest_take_any_text(text: str) -> None:
    VOCABULARY.find(text)
    assert set(VOCABULARY.suggest(text)) <= set(VOCABULARY.names())


def test_suggest_offers_the_word_that_was_mistyped() -> None:
    missed, tried = [], 0
    for entry in ENTRIES[::3]:
        middle = len(entry.name) // 2
        if len(entry.name) >= 6 and " " not in entry.name[middle - 1 : middle + 1]:
            typed = entry.name[: middle - 1] + entry.name[middle:]
            tried += 1
            if VOCABULARY.find(typed) is None and entry.unsided not in VOCABULARY.suggest(typed):
                missed.append(typed)
    assert tried > 60 and len(missed) <= 0.05 * tried, missed
    assert VOCABULARY.suggest("left kidny")[0] == "left kidney"
    assert VOCABULARY.suggest("xyzzy") == ()


# ---- entries ----


def test_entry_names_what_is_missing() -> None:
    assert VOCABULARY.entry("right kidney").name == "kidney"
    with pytest.raises(PromptError, match="flux capacitor"):
        VOCABULARY.entry("flux capacitor")


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("left lung", {"left upper lung lobe", "left lower lung lobe"}),
        (
            "right lung",
            {"right upper lung lobe", "right middle lung lobe", "right lower lung lobe"},
        ),
        ("lungs", {"upper lung lobes", "right middle lung lobe", "lower lung lobes"}),
        ("tumor core", {"enhancing tumor", "non-enhancing tumor", "necrosis"}),
        ("whole tumor", {"tumor core", "edema"}),
        ("hippocampus", {"anterior hippocampus", "posterior hippocampus"}),
        ("portal and splenic vein", {"portal vein", "splenic vein"}),
        ("lung opacity", {"ground-glass opacity", "consolidation"}),
        ("spleen", set()),
    ],
)
def test_parts(name: str, parts: set[str]) -> None:
    assert set(VOCABULARY.parts(name)) >= parts
    assert bool(VOCABULARY.parts(name)) == bool(parts)
    side = name.split()[0]
    other = {"left": "right", "right": "left"}.get(side)
    assert not [part for part in VOCABULARY.parts(name) if part.split()[0] == other]


def test_phrases_keep_the_side_and_mean_the_same() -> None:
    phrases = VOCABULARY.phrases("right kidney")
    assert phrases[0] == "right kidney" and len(phrases) > 2
    for name in VOCABULARY.names():
        for phrase in VOCABULARY.phrases(name):
            assert VOCABULARY.find(phrase).name == name, phrase


def test_names_list_sides_and_kinds() -> None:
    names = VOCABULARY.names()
    assert len(set(names)) == len(names)
    assert {"left kidney", "right kidney", "kidneys", "liver"} <= set(names)
    assert "liver tumor" in VOCABULARY.names("finding")
    assert "liver tumor" not in VOCABULARY.names("anatomy")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("liver", True),
        ("left lung", True),
        ("lung", False),  # both of them
        ("kidneys", False),
        ("ribs", False),
        ("left rib 7", True),
        ("small bowel", False),  # a slice shows many loops, and labels have gaps
        ("lung nodule", False),
        ("nothing known", False),
    ],
)
def test_one_piece(name: str, expected: bool) -> None:
    assert VOCABULARY.is_one_piece(name) is expected


def test_no_finding_is_one_piece() -> None:
    assert not [s.name for s in VOCABULARY if s.one_piece and s.kind != "anatomy"]
    listed = json.loads(resource_path("Anatomy.json").read_text(encoding="utf-8"))["one_piece"]
    assert sorted(listed) == sorted(s.name for s in VOCABULARY if s.one_piece)  # none misspelt


# ---- files ----


def test_default_is_read_once() -> None:
    assert Vocabulary.load() is Vocabulary.load()
    assert len(Vocabulary.load(resource_path("Anatomy.json"))) == len(VOCABULARY)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.pop("structures"), "damaged"),
        (lambda d: d["structures"][0].pop("type"), "damaged"),
        (lambda d: d["structures"][0].update(colour=[1, 2]), "damaged"),
        (lambda d: d["structures"][0].update(type=["SCT", "1"]), "damaged"),
        (lambda d: d["structures"][0].update(synonyms=["spleen"]), "spleen"),
    ],
)
def test_a_damaged_vocabulary_is_refused(tmp_path: Path, change, message: str) -> None:
    document = json.loads(resource_path("Anatomy.json").read_text(encoding="utf-8"))
    change(document)
    path = tmp_path / "Anatomy.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        Vocabulary.load(path)


def test_missing_and_broken_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        Vocabulary.load(tmp_path / "none.json")
    (tmp_path / "half.json").write_text('{"structures": [')
    with pytest.raises(InputError, match="damaged"):
        Vocabulary.load(tmp_path / "half.json")
    (tmp_path / "nested.json").write_text("[" * 100_000)
    with pytest.raises(InputError, match="nested too deeply"):
        Vocabulary.load(tmp_path / "nested.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="damaged"):
        Vocabulary.load(tmp_path / "bytes.json")
