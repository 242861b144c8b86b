"""From a recipe's data sets to samplers and validation batches."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..data.absence import AbsenceRules, add_absences
from ..data.artefacts import AugmentConfig
from ..data.batches import BatchPlan
from ..data.datasets import Case, Dataset, index_of
from ..data.layouts.pictures import below
from ..data.mixing import MixConfig
from ..data.phrases import PhraseBook, canonical_name
from ..data.sampling import ForeignNames, SliceSampler
from ..data.slices import NameRules, TrainingSlice, case_slices
from ..files.fields import check_fields
from ..files.text import read_json
from ..image.intensity import InputSpec
from ..outcome import InputError
from ..prompting.vocabulary import Vocabulary
from .recipe import DataEntry, Recipe

logger = logging.getLogger(__name__)


@dataclass
class Material:
    """Slices of both splits and what is known of the names.

    Attributes:
        train: slices to train on.
        validation: slices to choose on.
        modalities: trained name -> modalities in which it is labelled.
        datasets: the data sets, for the card.
        reports: names that report texts ask for.
        foreign: names absent by the region of the body.
    """

    train: list[TrainingSlice] = field(default_factory=list)
    validation: list[TrainingSlice] = field(default_factory=list)
    modalities: dict[str, set[str]] = field(default_factory=dict)
    datasets: list[Dataset] = field(default_factory=list)
    reports: set[str] = field(default_factory=set)
    foreign: ForeignNames = field(default_factory=ForeignNames)


def find_dataset(name: str, roots: Sequence[Path]) -> Dataset:
    """Read a recipe's data set: by its path, or by folder or own name below the data folders.

    Raises:
        InputError: when it is nowhere, or in two places under its own name.
    """
    short = Path(name).name
    for place in [Path(name), *(root / name for root in roots), *roots]:
        file = index_of(place)
        if file.is_file() and short in (file.parent.name, file.parent.resolve().name):
            return Dataset.read(file).renamed(short)
    found = {}
    for root in roots:
        for place in _folders(root):
            file = index_of(place)
            if file.is_file() and _own_name(file) == short:
                found[file.resolve()] = file
    if len(found) > 1:
        both = " and ".join(f"'{file.parent}'" for file in found.values())
        raise InputError(f"Two data sets are called '{short}': {both}; give one with --data.")
    for file in found.values():
        return Dataset.read(file)
    raise InputError(
        f"The data set '{short}' was not found; give its folder with --data, or the one above it "
        "('textpromptseg data index' makes one of a public download)."
    )


def _folders(root: Path) -> list[Path]:
    """Return a data folder and those two levels below it; a file that was named is alone."""
    try:
        return list(below(root, 2)) if root.is_dir() else [root]
    except OSError as error:
        raise InputError(f"'{error.filename}' cannot be read ({error.strerror}).") from error


def _own_name(file: Path) -> str | None:
    """Return the name that an index gives its data set; None for what is none."""
    try:
        values = read_json(file)
    except (OSError, ValueError):
        return None
    return values.get("name") if isinstance(values, dict) and "cases" in values else None


def gather(recipe: Recipe, roots: Sequence[Path], vocabulary: Vocabulary | None = None) -> Material:
    """Read every slice of the train and val splits of a recipe's data sets into memory.

    Raises:
        InputError: when a data set is missing or nothing can be trained.
    """
    import torch

    vocabulary = vocabulary or Vocabulary.load()
    spec = InputSpec.from_dict(recipe.input)
    material = Material()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # thousands of tiny resizes: threads would only wait for each other
    for entry in recipe.data:
        dataset = find_dataset(entry.name, roots)
        material.datasets.append(dataset)
        rules = _rules(entry, dataset, vocabulary)
        for split, target in (("train", material.train), ("val", material.validation)):
            slices: list[TrainingSlice] = []
            for case in dataset.split(split):
                slices += _known_slices(case, spec, rules, entry, recipe)
            if split == "val":
                slices = _spread(slices, recipe.validation_slices)
            target.extend(slices)
            logger.info("%s %s: %d slices", dataset.name, split, len(slices))
    torch.set_num_threads(threads)
    by_name = {d.name: d.modality or "any" for d in material.datasets}
    for item in material.train:
        for name in item.masks:
            material.modalities.setdefault(name, set()).add(by_name[item.dataset])
        if batch_plan(recipe).texts:
            material.reports.update(item.texts)
    if not any(item.masks for item in material.train):
        raise InputError("None of the recipe's data sets has a labelled slice to train on.")
    material.foreign = _foreign(recipe, material)
    _only_trained(material)
    return material


def read_split(
    recipe: Recipe, roots: Sequence[Path], split: str, vocabulary: Vocabulary | None = None
) -> list[TrainingSlice]:
    """Return every slice of one split of a recipe's data sets.

    Raises:
        InputError: when a data set is missing.
    """
    vocabulary = vocabulary or Vocabulary.load()
    spec = InputSpec.from_dict(recipe.input)
    slices: list[TrainingSlice] = []
    for entry in recipe.data:
        dataset = find_dataset(entry.name, roots)
        rules = _rules(entry, dataset, vocabulary)
        for case in dataset.split(split):
            slices += _known_slices(case, spec, rules, entry, recipe)
    return slices


def _known_slices(
    case: Case, spec: InputSpec, rules: NameRules, entry: DataEntry, recipe: Recipe
) -> list[TrainingSlice]:
    """Return the slices of a case with everything that is known to be absent from them."""
    slices = case_slices(case, spec, rules, channels=entry.channels, planes=recipe.planes)
    known = AbsenceRules(
        absent=entry.absent,
        absent_where=entry.absent_where,
        absent_above=entry.absent_above,
        apart=recipe.apart,
        regions=recipe.regions,
    )
    add_absences(slices, notes_of(case), known)
    return slices


def notes_of(case: Case) -> str:
    """Return a case's own notes, or those of another case of the same picture."""
    for other in [case, *case.dataset.cases]:
        if other.extra.get("text") and other.image_paths == case.image_paths:
            return str(other.extra["text"])
    return ""


def _rules(entry: DataEntry, dataset: Dataset, vocabulary: Vocabulary) -> NameRules:
    names = [*dataset.labels.values(), *dataset.groups]
    return NameRules(
        aliases={n: canonical_name(n, vocabulary) for n in names},
        positive_aliases=entry.positive_aliases,
        derive=tuple(entry.derive),
        drop=tuple(entry.drop),
        text_for=tuple(entry.text_for),
        describe=tuple(entry.describe),
    )


def _spread(slices: list[TrainingSlice], most: int) -> list[TrainingSlice]:
    """Return at most ``most`` evenly spaced slices, those with a structure first."""
    labelled = [s for s in slices if s.masks] or slices
    if len(labelled) <= most:
        return labelled
    index = np.linspace(0, len(labelled) - 1, most).astype(int)
    return [labelled[i] for i in index]


def _foreign(recipe: Recipe, material: Material) -> ForeignNames:
    """Assign each trained name to the regions of the data sets that label it."""
    region_of = {Path(e.name).name: e.region for e in recipe.data if e.region}
    listed = {name: {region} for region, names in recipe.regions.items() for name in names}
    places: dict[str, set[str]] = {}
    for item in material.train:
        for name in item.masks:
            if name in listed:
                places[name] = listed[name]
            else:
                places.setdefault(name, set()).add(region_of.get(item.dataset) or "any")
    return ForeignNames(
        {name: frozenset(found) for name, found in places.items()},
        {name: region for name, region in region_of.items() if region},
        frozenset((str(a), str(b)) for a, b in recipe.excluded),
    )


def _only_trained(material: Material) -> None:
    """Leave no negative of a name that no data set labels, and none that a label contradicts.

    Raises:
        InputError: when a data set labels what its region is said to exclude.
    """
    trained = {name for item in material.train for name in item.masks}
    excluded = {d.name: set(material.foreign.of(d.name)) for d in material.datasets}
    for item in [*material.train, *material.validation]:
        item.absent = tuple(name for name in item.absent if name in trained)
        if wrong := sorted(excluded[item.dataset] & set(item.masks)):
            raise InputError(
                f"The recipe excludes '{wrong[0]}' from the region of {item.dataset}, but "
                f"{item.key} shows it; correct regions or excluded."
            )


def samplers(recipe: Recipe, material: Material) -> list[SliceSampler]:
    """Return one sampler per canvas size."""
    weights = {Path(e.name).name: e.weight for e in recipe.data}
    sizes = sorted({s.canvas for s in material.train}, reverse=True)
    result = []
    for size in sizes:
        result.append(
            SliceSampler(
                [s for s in material.train if s.canvas == size],
                weights,
                foreign=material.foreign,
                empty_weight=recipe.empty_weight,
                absent=recipe.absent,
                rarity=recipe.rarity,
                name_weights=recipe.name_weights,
            )
        )
    return result


def phrase_book(recipe: Recipe, vocabulary: Vocabulary | None = None) -> PhraseBook:
    """Return the recipe's wordings.

    Raises:
        InputError: when a template is kept to measure unseen words with.
    """
    return PhraseBook(
        vocabulary or Vocabulary.load(),
        recipe.templates,
        plain=recipe.plain_prompts,
        with_synonyms=recipe.synonyms,
    )


def stream_options(recipe: Recipe) -> dict[str, Any]:
    """Return the recipe's options of a `BatchStream`: augmentation, mixing, mirrored sets.

    Raises:
        InputError: for unknown values.
    """
    try:
        check_fields(AugmentConfig, recipe.augment or {})
        check_fields(MixConfig, recipe.mix or {})
        augment = None if recipe.augment is None else AugmentConfig(**recipe.augment)
        mix = None if recipe.mix is None else MixConfig(**recipe.mix)
    except (TypeError, ValueError) as error:
        raise InputError(f"The recipe's augment or mix cannot be used: {error}.") from error
    return {
        "augment": augment,
        "mix": mix,
        "regions": {Path(e.name).name: e.region for e in recipe.data if e.region},
        "synthesis": {Path(e.name).name: e.synthesis for e in recipe.data if e.synthesis},
        "mirror": [Path(e.name).name for e in recipe.data if e.mirror],
        "upturn": [Path(e.name).name for e in recipe.data if e.upturn],
    }


def in_steps(recipe: Recipe, material: Material) -> Recipe:
    """Return a recipe whose ``epochs`` are counted in steps; one without them as it is."""
    if not recipe.epochs:
        return recipe
    pairs = sum(len(item.masks) for item in material.train)
    each = max(1, math.ceil(pairs / batch_plan(recipe).pairs))
    return replace(recipe, steps=recipe.epochs * each)


def batch_plan(recipe: Recipe) -> BatchPlan:
    """Return the recipe's batch sizes."""
    try:
        check_fields(BatchPlan, recipe.batch)
        return BatchPlan(**recipe.batch)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise InputError(f"The recipe's batch cannot be used: {error}.") from error
