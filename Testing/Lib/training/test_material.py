"""From a recipe to slices: which names may be asked as absent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tiny_data import write_dataset

from TextPromptSegLib.data.absence import AbsenceRules
from TextPromptSegLib.data.datasets import Dataset
from TextPromptSegLib.data.phrases import canonical_name
from TextPromptSegLib.outcome import InputError
from TextPromptSegLib.prompting.vocabulary import Vocabulary
from TextPromptSegLib.systems import film_unet
from TextPromptSegLib.training.material import gather, notes_of, stream_options
from TextPromptSegLib.training.recipe import Recipe


def _recipe(**changes: Any) -> Recipe:
    entry = {"name": "tiny", "region": "abdomen", **changes.pop("entry", {})}
    values: dict[str, Any] = {
        "name": "t",
        "system": "film-unet",
        "config": {},
        "input": {"size": 64, "multiple": 16},
        "data": [entry],
    }
    return Recipe.from_dict({**values, **changes})


def test_excluded_may_be_written_region_by_region() -> None:
    recipe = _recipe(excluded={"abdomen": ["brain", "airways"], "brain": ["lungs"]})
    assert recipe.excluded == (("abdomen", "brain"), ("abdomen", "airways"), ("brain", "lungs"))
    assert Recipe.from_dict(recipe.to_dict()) == recipe


def test_absent_names_are_trained_ones_and_regions_stand_for_their_names(tmp_path: Path) -> None:
    write_dataset(tmp_path)
    write_dataset(tmp_path, "other")
    recipe = _recipe(
        data=[{"name": "tiny", "drop": ["liver", "pair"]}, {"name": "other"}],
        regions={"low": ["bladder", "spleen", "liver"]},
        apart={"right kidney": ["low"]},
    )
    material = gather(recipe, [tmp_path])
    absent = {s.dataset: s.absent for s in [*material.train, *material.validation]}
    # nobody labels a spleen or a bladder; the other set's livers are in sight
    assert absent == {"tiny": ("liver",), "other": ()}


def test_a_region_that_excludes_what_its_own_labels_show_is_refused(tmp_path: Path) -> None:
    write_dataset(tmp_path)
    recipe = _recipe(regions={"chest": ["liver"]}, excluded={"abdomen": ["chest"]})
    with pytest.raises(InputError, match="excludes 'liver' from the region of tiny"):
        gather(recipe, [tmp_path])


def test_the_compact_recipe_lists_every_region_it_excludes() -> None:
    folder = Path(str(film_unet.__file__)).parent
    recipe = Recipe.read(folder / "recipe_compact.json")
    regions = set(recipe.regions)
    assert {name for _, name in recipe.excluded} <= regions
    assert {here for here, _ in recipe.excluded} == {e.region for e in recipe.data}
    known = regions | {n for names in recipe.regions.values() for n in names}
    listed = [*recipe.apart, *(n for names in recipe.apart.values() for n in names)]
    for entry in recipe.data:
        listed += [*entry.absent, *entry.absent_above]
        listed += [n for names in entry.absent_where.values() for n in names]
    assert set(listed) <= known
    twice = [n for names in recipe.regions.values() for n in names]
    assert len(twice) == len(set(twice))


def test_normal_radiographs_are_known_to_be_without_findings(shared_data: Path) -> None:
    """The words the recipe looks for stand in the notes, and only normal pictures match."""
    folder = Path(str(film_unet.__file__)).parent
    recipe = Recipe.read(folder / "recipe_compact.json")
    normal = {"cxr_jsrt", "cxr_montgomery_shenzhen", "cxr_covid_qu_ex"}
    for entry in recipe.data:
        if entry.name not in normal:
            continue
        rules = AbsenceRules(absent_where=entry.absent_where, regions=recipe.regions)
        cases = Dataset.read(shared_data / entry.name).cases
        pictures: dict[tuple[Path, ...], tuple[str, set[str], set[str]]] = {}
        for case in cases:
            text = notes_of(case)
            gone = rules.of_case(text)
            pictures.setdefault(case.image_paths, (text, gone, set()))[2].update(case.present)
        clear = [p for p in pictures.values() if "lung nodule" in p[1]]
        assert 30 <= len(clear) < len(pictures) * 0.7
        for text, gone, present in pictures.values():
            assert not gone & present
            sick = any(word in text for word in ("lung cancer", "malignant", "COVID", ", tuber"))
            assert not (sick and "lung nodule" in gone)


def test_a_recipe_with_unknown_mixing_is_refused_in_one_sentence() -> None:
    options = stream_options(_recipe(mix={"cutmix": 0.5}, entry={"mirror": True, "upturn": True}))
    assert options["mix"].cutmix == 0.5 and options["regions"] == {"tiny": "abdomen"}
    assert options["mirror"] == options["upturn"] == ["tiny"]
    with pytest.raises(InputError, match="augment or mix cannot be used"):
        stream_options(_recipe(mix={"cutmax": 0.5}))


def test_the_compact_recipe_pastes_only_names_of_its_sets() -> None:
    recipe = Recipe.read(Path(str(film_unet.__file__)).parent / "recipe_compact.json")
    mix = stream_options(recipe)["mix"]
    assert set(mix.pasted) <= {e.name for e in recipe.data}
    names = {n for listed in recipe.regions.values() for n in listed}
    assert {n for listed in mix.pasted.values() for n in listed} | set(mix.roam) <= names


def test_every_trained_name_of_the_compact_recipe_has_a_region(shared_data: Path) -> None:
    """Names are written as the vocabulary has them now; a renamed structure shows up here."""
    recipe = Recipe.read(Path(str(film_unet.__file__)).parent / "recipe_compact.json")
    vocabulary = Vocabulary.load()
    listed = {name for names in recipe.regions.values() for name in names}
    assert {canonical_name(name, vocabulary) for name in listed} == listed
    for entry in recipe.data:
        dataset = Dataset.read(shared_data / entry.name)
        names = [*dataset.labels.values(), *dataset.groups]
        names += [n for more in entry.positive_aliases.values() for n in more]
        assert {canonical_name(n, vocabulary) for n in names} <= listed, entry.name
