"""Recipes: everything that decides a training, as one JSON file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from ..checkpoints.stored_weights import DTYPES
from ..files.fields import check_fields
from ..files.text import read_json
from ..image.intensity import InputSpec
from ..outcome import InputError

SCHEDULES = ("cosine", "trapezoid")
OPTIMIZERS = ("adamw", "adam")
WATCHED = ("score", "miou", "last")
CHOICES: Mapping[str, tuple[str, ...]] = {
    "schedule": SCHEDULES,
    "store": ("float16", *sorted(set(DTYPES) - {"float16"})),
    "optimizer": OPTIMIZERS,
    "watch": WATCHED,
}


@dataclass(frozen=True)
class DataEntry:
    """One data set of a recipe.

    Attributes:
        name: folder below the data folder (or a path) that holds ``dataset.json``.
        weight: share of the draws, beside the other entries.
        region: region of the body, for names that cannot be in these pictures.
        mirror: slices may be mirrored, with the words left and right swapped.
        upturn: half of its slices are drawn upside down, for pictures that are stored so.
        synthesis: share of its draws that show its labels in a fresh contrast, as an MR.
        derive: rules of `TextPromptSegLib.data.derive`.
        drop: labels to leave out.
        positive_aliases: label -> further names that are true of its mask.
        channels: channels to use, None = all.
        text_for: labels that each case's own ``text`` asks for, as a report does; how often it
            is used is the recipe's ``batch: {"texts": ...}``.
        describe: trained names of findings in the lungs that a report sentence, made from the
            mask, asks for like a case's own text.
        absent: names, or regions of the recipe, that none of its pictures shows.
        absent_where: words of a case's own ``text`` -> names or regions absent from that case.
        absent_above: name or region -> share of a volume's height above which it is absent.
        field_mm: length of the long side where a picture's pixel size is not known, mm; for
            trainings at a fixed pixel size.
    """

    name: str
    weight: float = 1.0
    region: str | None = None
    mirror: bool = False
    upturn: bool = False
    synthesis: float = 0.0
    derive: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    positive_aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    channels: tuple[int, ...] | None = None
    text_for: tuple[str, ...] = ()
    describe: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    absent_where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    absent_above: Mapping[str, float] = field(default_factory=dict)
    field_mm: float | None = None


@dataclass(frozen=True)
class Recipe:
    """What to train, on what, how long.

    Attributes:
        name: of the checkpoint.
        title: one line for people.
        notes: what a person should know before the training, a sentence each; a recipe of a paper
            says here what the paper leaves open and what is done differently.
        system: registered system, for example ``film-unet``.
        config: its sizes (and ``loss``).
        input: `InputSpec` values.
        text_encoder: ``minilm``, ``bert-base``, ``clip-compact``, ``biomed-clip`` or a whole
            spec.
        data: the data sets.
        regions: region -> names, for `ForeignNames`; a region also holds every name that only
            data sets of that region label.
        excluded: (region of the picture, region of the name) pairs; in the file also a mapping
            from a region of pictures to regions of names.
        apart: structure -> names or regions absent from every axial slice of a CT or MR with it.
        divides: part -> the whole that it divides with other parts, see `inference.dividing`.
        planes: slice directions of volumes.
        templates: wordings with ``{x}``.
        plain_prompts: share of bare canonical names.
        synonyms: templates also hold the vocabulary's synonyms of a name.
        steps: optimiser steps.
        epochs: passes over all pairs of a train slice and a structure in it, in place of
            ``steps``; 0 = ``steps`` counts.
        batch: `BatchPlan` values.
        absent: share of pairs whose structure is not there.
        empty_weight: weight of slices without any structure.
        rarity: exponent that favours rare structures.
        name_weights: further factor per name.
        augment: `AugmentConfig` values, or None.
        mix: `MixConfig` values, or None for no mixing of slices.
        optimizer: ``adamw``, or ``adam`` (no weight decay).
        decay_all: weight decay on norms, biases and gains too, as torch's own AdamW has it.
        clip: largest norm of the gradient, 0 = any.
        lr: peak learning rate.
        min_lr: last learning rate of the cosine.
        weight_decay: of AdamW.
        warmup: steps of linear warm-up.
        schedule: ``cosine`` from ``lr`` to ``min_lr``, or ``trapezoid``: constant, then linear to
            ``min_lr`` over the last share ``decay`` of the steps. A run of the second kind may be
            given more steps when it is resumed before its decay begins.
        decay: see ``schedule``.
        save_every: steps between two savings of ``last.ckpt``.
        ema: decay of the averaged weights, 0 = off.
        store: ``int8``, ``float16``, ``bfloat16`` or ``float32``: how the checkpoint's file holds
            the weights; what is calibrated is what was stored.
        precision: ``bf16-mixed``, ``16-mixed`` or ``32-true``.
        compile: compile the network (pays after a few minutes on a CPU).
        workers: processes that make batches, 0 or 1 (the stream is one sequence).
        validate_every: steps between validations.
        validation_slices: most slices per data set.
        patience: validations without progress before it stops, 0 = never.
        watch: what chooses the state that is kept, and stops: ``score`` (mean Dice, less false
            alarms; stops by the mean Dice), ``miou`` (mean over structures of the IoU pooled over
            all validation pixels) or ``last`` (the last state, nothing stops).
        calibrate: choose thresholds, largest-part rules, gates and evidence on the validation
            cases at the end.
        trainer: values for the system's own trainer, where it names one (`systems.base`).
        initial: checkpoint folder to start from (the same sizes), or None.
        seed: of weights and batches.
        licence: ``spdx``, ``line`` and ``permissive`` of the checkpoint.
    """

    name: str
    system: str
    config: Mapping[str, Any]
    input: Mapping[str, Any]
    data: tuple[DataEntry, ...]
    title: str = ""
    notes: tuple[str, ...] = ()
    text_encoder: Any = "minilm"
    regions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    excluded: tuple[tuple[str, str], ...] = ()
    apart: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    divides: Mapping[str, str] = field(default_factory=dict)
    planes: tuple[str, ...] = ("axial",)
    templates: tuple[str, ...] = ()
    plain_prompts: float = 0.5
    synonyms: bool = True
    steps: int = 1000
    epochs: int = 0
    batch: Mapping[str, float] = field(default_factory=dict)
    absent: float = 0.2
    empty_weight: float = 0.25
    rarity: float = 0.5
    name_weights: Mapping[str, float] = field(default_factory=dict)
    augment: Mapping[str, Any] | None = field(default_factory=dict)
    mix: Mapping[str, Any] | None = None
    optimizer: str = "adamw"
    decay_all: bool = False
    clip: float = 1.0
    lr: float = 3e-4
    min_lr: float = 1e-6
    weight_decay: float = 1e-4
    warmup: int = 200
    schedule: str = "cosine"
    decay: float = 0.2
    save_every: int = 250
    ema: float = 0.0
    store: str = "float16"
    precision: str = "bf16-mixed"
    compile: bool = False
    workers: int = 0
    validate_every: int = 500
    validation_slices: int = 40
    patience: int = 0
    watch: str = "score"
    calibrate: bool = False
    trainer: Mapping[str, Any] = field(default_factory=dict)
    initial: str | None = None
    seed: int = 0
    licence: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, path: str | Path) -> Recipe:
        """Read a recipe file.

        Raises:
            InputError: with one sentence, for a missing file, bad JSON or unknown keys.
        """
        try:
            values = read_json(path)
        except OSError as error:
            raise InputError(f"The recipe '{path}' cannot be read: {error.strerror}.") from error
        except ValueError as error:
            raise InputError(f"The recipe '{path}' is not valid JSON: {error}.") from error
        return cls.from_dict(values)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Recipe:
        """Make a recipe of a mapping.

        Raises:
            InputError: for missing or unknown keys.
        """
        if not isinstance(values, Mapping):
            raise InputError("A recipe is a JSON object with name, system, config, input, data.")
        known = {f.name for f in fields(cls)}
        unknown = set(values) - known
        missing = {"name", "system", "config", "input", "data"} - set(values)
        if unknown or missing:
            wrong = [f"unknown {k}" for k in sorted(unknown)]
            wrong += [f"missing {k}" for k in sorted(missing)]
            raise InputError(f"The recipe has wrong keys: {', '.join(wrong)}.")
        values = dict(values)
        if values.get("workers", 0) not in (0, 1):
            raise InputError("A recipe's workers is 0 or 1.")
        for key, choices in CHOICES.items():
            if values.get(key, choices[0]) not in choices:
                raise InputError(f"A recipe's {key} is one of {', '.join(choices)}.")
        if values.get("optimizer") == "adam" and values.get("weight_decay"):
            raise InputError("A recipe with the optimizer adam has weight_decay 0.")
        try:
            values["data"] = tuple(_entry(values) for values in values["data"])
        except (TypeError, ValueError) as error:
            raise InputError(f"The recipe's data entries cannot be used: {error}.") from error
        try:
            if isinstance(values.get("excluded"), Mapping):
                listed = values["excluded"].items()
                values["excluded"] = tuple((here, name) for here, names in listed for name in names)
            check_fields(cls, values)
            InputSpec.from_dict(values["input"])
            return cls(**values)
        except (TypeError, ValueError) as error:
            raise InputError(f"The recipe cannot be used: {error}.") from error

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return asdict(self)

    def text_spec(self) -> dict[str, Any]:
        """Return the text encoder's spec.

        Raises:
            InputError: for an unknown short name.
        """
        if isinstance(self.text_encoder, Mapping):
            return dict(self.text_encoder)
        from ..text import BERT_BASE, BIOMED_CLIP, CLIP_COMPACT, MINILM

        known = {
            "minilm": MINILM,
            "bert-base": BERT_BASE,
            "biomed-clip": BIOMED_CLIP,
            "clip-compact": CLIP_COMPACT,
        }
        if not isinstance(self.text_encoder, str) or self.text_encoder not in known:
            raise InputError(f"text_encoder is one of {', '.join(known)} or a whole spec.")
        return dict(known[self.text_encoder])


def _entry(values: Any) -> DataEntry:
    if not isinstance(values, Mapping):
        raise ValueError(f"{values!r:.60} is no object")
    check_fields(DataEntry, values)
    return DataEntry(**values)
