"""`SlicePredictor`: a loaded checkpoint, a volume, prompts in, masks out."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

from ..checkpoints.layout import input_spec
from ..checkpoints.memory_estimate import slices_per_pass
from ..image.modality import TakenFor, taken_for, with_modality
from ..image.slice_stack import Block, SliceStack, choose_plane
from ..outcome import DeviceError, InputError, Progress
from ..prompting.clinical_text import name_of, text_of, too_long
from ..prompting.prompt import Prompt
from ..prompting.prompts import parse_prompts
from ..prompting.segmentation import Segmentation
from ..prompting.vocabulary import Vocabulary
from . import answers
from .answering import answered
from .candidates import per_pass, segment_samples
from .composition import Composer
from .device import MemoryLadder, autocast_dtype, release_memory, resolve_device
from .dividing import wholes_of
from .engines.fast_inference import faster_on_cpu
from .engines.feature_cache import cache_limit
from .engines.feature_files import make_cache
from .engines.folded_norms import folded
from .engines.heat_maps import heat_map_of
from .engines.hinted_engine import make_engine, with_region
from .engines.search import Search
from .engines.slice_engine import SliceEngine, run_with
from .everything import expand
from .hints import Hints
from .loaded_checkpoint import LoadedCheckpoint, load
from .own_words import with_meaning
from .plausibility import Neighbours
from .provenance import run_facts
from .run_request import RunRequest, make_request
from .targets import Refusal, Resolver, Target, thresholds

if TYPE_CHECKING:
    from ..image.volume import Volume

logger = logging.getLogger(__name__)


class SlicePredictor:
    """Segments volumes slice by slice with one checkpoint.

    The image is encoded once and serves every prompt and every later call on the same volume.

    Args:
        checkpoint: what `checkpoint.load` returned.
        device: ``auto``, ``cpu``, ``cuda:N`` or ``mps``.
        precision: ``auto``, ``float32``, ``bfloat16`` or ``float16``.
        batch: slices per pass; None chooses for the device.
        cache_bytes: most memory for image features; None chooses for the device.
        feature_folder: keep image features in this folder too, see `feature_files.make_cache`.
        vocabulary: names and synonyms; None takes the one that ships.
        own: nobody else has the checkpoint's network, so it may be rebuilt without a copy.
    """

    def __init__(
        self,
        checkpoint: LoadedCheckpoint,
        device: str | torch.device = "auto",
        precision: str = "auto",
        batch: int | None = None,
        cache_bytes: int | None = None,
        feature_folder: str | os.PathLike[str] | None = None,
        vocabulary: Vocabulary | None = None,
        own: bool = False,
    ) -> None:
        target = resolve_device(device)
        self.config: Mapping[str, Any] = checkpoint.config
        self.spec = input_spec(checkpoint.config)
        self.vocabulary = vocabulary or Vocabulary.load()
        self.seconds: dict[str, float] = dict.fromkeys(_STAGES, 0.0)
        self.presence: dict[str, float] = {}  # the last run's best slice of each trained name
        self.slice_presence: dict[str, Any] = {}  # and every slice's that was searched, (S,)
        self._text_encoder = checkpoint.text_encoder
        size, pairs = slices_per_pass(target.type, self.spec.size)
        if batch is not None:
            size, pairs = batch, batch if target.type == "cpu" else max(batch, pairs)
        self._ladder = MemoryLadder(target, autocast_dtype(target, precision), size, pairs)
        model = checkpoint.model.eval().requires_grad_(False)
        if target.type == "cpu":
            model = faster_on_cpu(folded(model, own), self._ladder.dtype, own)
        # Convolutions are two to three times faster when the channels lie side by side.
        self._model: Any = model.to(target)
        self._model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        limit = cache_limit(target) if cache_bytes is None else cache_bytes
        self._cache = make_cache(feature_folder, limit, checkpoint.config, str(self._ladder.dtype))
        self._volume: Volume | None = None
        self._stack: SliceStack | None = None
        self._block: Block | None = None
        self._image: tuple[Any, ...] | None = None
        self._taken: TakenFor = TakenFor(None, "", False, None)
        self._roi: tuple[float, ...] | None = None
        self._neighbours = Neighbours()

    @classmethod
    def from_pretrained(
        cls, name: str | os.PathLike[str], device: str | torch.device = "auto", **options: Any
    ) -> SlicePredictor:
        """Load a checkpoint by name, folder or hub id; nothing is downloaded.

        Args:
            name: for example ``film-unet-compact``.
            device: ``auto``, ``cpu``, ``cuda:N`` or ``mps``.
            options: further arguments of `SlicePredictor`.

        Raises:
            CheckpointError: when it is missing, damaged or of an unknown system.
            DeviceError: when the device is not there.
        """
        started = time.perf_counter()
        target = resolve_device(device)
        predictor = cls(load(name, target), target, **{"own": True, **options})
        predictor.seconds["load"] = time.perf_counter() - started
        return predictor

    @property
    def device(self) -> torch.device:
        """Where the network runs now (it may have moved after running out of memory)."""
        return self._ladder.device

    @property
    def trained_prompts(self) -> tuple[str, ...]:
        """Names that the checkpoint was trained on."""
        return tuple(self.config["trained_prompts"])

    # -- volume --------------------------------------------------------------------------------

    def set_volume(
        self,
        volume: Volume,
        roi: Sequence[float] | None = None,
        slices: slice | tuple[int, int] | None = None,
        plane: str | None = None,
        modality: str | None = None,
    ) -> None:
        """Choose the image and the part of it that is searched; outside it nothing is found.

        Args:
            volume: the image.
            roi: x0, x1, y0, y1, z0, z1 in patient RAS, mm.
            slices: first slice and the one after the last along the plane's axis, counted as
                in the file.
            plane: ``axial``, ``coronal`` or ``sagittal``; None takes the checkpoint's own, and
                for a picture the picture's.
            modality: "CT", "MR" or "CXR" where the file does not say it, or says it wrongly; what
                the image was taken for is in ``provenance["taken_for"]``.

        Raises:
            InputError: for an image without any number, a region outside the volume or a plane
                that was not trained.
        """
        self._alive()
        image = self._image
        if self._volume is not volume or image is None:
            volume.require_numbers()
            image = (volume.shape, volume.ijk_to_ras.tobytes(), self._cache.identify(volume.array))
        shape = volume.orientation("LPS").apply(volume.array).shape
        planes = tuple(self.config.get("planes") or self.spec.planes)
        chosen = choose_plane(shape, planes, plane)
        self._model.check_plane(chosen)
        taken = taken_for(with_modality(volume, modality))
        stack = SliceStack(volume, chosen, self.spec, taken.modality, taken.in_hu, taken.padding)
        block = stack.block(roi, slices)
        self._volume, self._stack, self._block, self._image = volume, stack, block, image
        self._taken = taken
        self._roi = None if roi is None else tuple(float(v) for v in roi)
        self._neighbours.use((image, taken.modality))
        self._cache.use((image, chosen, taken.modality, stack.scale, self._ladder.side))

    # -- prompts -------------------------------------------------------------------------------

    def segment(
        self,
        prompts: str | Prompt | Sequence[str | Prompt],
        threshold: float | None = None,
        samples: int | None = None,
        progress: Progress | None = None,
        *,
        box: Sequence[float] | None = None,
        points: Sequence[Sequence[float]] | None = None,
        two_pass: bool | None = None,
        propagate: bool | None = None,
        heat_map: bool = False,
        free_text: bool = False,
        mask: Any = None,
    ) -> list[Segmentation]:
        """Segment what the prompts name.

        Args:
            prompts: what to look for; a text may name several structures.
            threshold: probability from which a voxel belongs to the mask; None takes the
                checkpoint's own for each structure.
            samples: number of samples K of a generative system: the answer is then their mean,
                with its standard deviation (``uncertainty``) and K masks (``candidates``).
            progress: ``progress(slices done, slices, message)``; False cancels.
            box: x0, x1, y0, y1, z0, z1 around the structure, RAS mm; nothing is found outside.
            points: (x, y, z, label) RAS mm, label 1 on the structure and 0 beside it.
            two_pass: find a box by the text first, then ask again with it.
            propagate: give each slice the box of what was found in the slice before.
            heat_map: also return where the system looked.
            free_text: ask what the vocabulary does not know in the words that were typed.
            mask: (K, J, I) in the file's order, an answer to start from.

        Returns:
            One answer per structure, in the order of the prompts.

        Raises:
            PromptError: for an empty or unreadable prompt.
            InputError: without a volume, for a wrong threshold or a mask of another grid.
            CheckpointError: when something is asked that the system does not take, see the
                checkpoint's ``takes``.
            Cancelled: when ``progress`` returned False; the predictor stays usable.
            DeviceError: when memory runs out in every way of running.
        """
        self._alive()
        if self._stack is None or self._block is None or self._volume is None:
            raise InputError(answers.NO_IMAGE)
        shown = {"box": box, "points": points, "two_pass": two_pass, "propagate": propagate}
        request = make_request(threshold, samples, heat_map, {**shown, "mask": mask})
        self.seconds.update(dict.fromkeys(_STAGES[1:], 0.0))
        plans = self.resolve(prompts, free_text)
        targets = sum(isinstance(plan, Target) for plan in plans)
        request.check(self._model, str(self.config["system"]), targets)

        def once(model: Any, tell: Progress | None) -> list[list[Segmentation]]:
            return self._segment(plans, request, tell, model)

        if samples is None:
            result = once(self._model, progress)[0]
        else:
            together = per_pass(samples, self._volume.array.size, max(1, targets))
            together = 1 if request.hints else together
            result = segment_samples(once, self._model, samples, progress, together)
        return self._with_heat_maps(result) if heat_map else result

    def _with_heat_maps(self, found: list[Segmentation]) -> list[Segmentation]:
        """Return the answers with where the system looked for each."""
        assert self._stack is not None and self._block is not None
        engine = SliceEngine(self._model, self._ladder, self._cache, None)
        result = []
        for made in found:
            words = made.provenance.get("free_text", {}).get("words")
            if names := made.provenance["trained_prompts"] or [words] * bool(words):
                heat = heat_map_of(engine, self._stack, self._block, self._encode(names))
                made = made.changed(heat_map=heat)
            result.append(made)
        return result

    def _segment(
        self,
        plans: Sequence[Target | Refusal],
        request: RunRequest,
        progress: Progress | None,
        model: Any,
    ) -> list[list[Segmentation]]:
        """Answer resolved prompts with a network: one list for each channel of its logits."""
        assert self._stack is not None and self._block is not None and self._volume is not None
        volume = self._volume
        targets = [plan for plan in plans if isinstance(plan, Target)]
        trained = self.config["trained_prompts"]
        rules = (thresholds(trained), wholes_of(trained))
        arguments = (self._stack, self._block, self._taken.modality, targets, *rules)
        composers = [Composer(*arguments) for _ in range(getattr(model, "count", 1))]
        hints = with_region(request.hints, self._roi, model)
        shares = self._run(composers, progress, model, hints)
        started = time.perf_counter()

        def prepare(plan: Target, composer: Composer) -> tuple[Any, ...]:
            return self._argument(plan, request, composer, shares)

        def refuse(plan: Refusal) -> Segmentation:
            limit = 0.5 if request.threshold is None else request.threshold
            facts = self._facts((), ())
            return answers.refuse(plan.prompt, plan.message, volume.shape, limit, facts)

        result = answered(plans, composers, prepare, refuse, self._neighbours)
        self.seconds["post"] += time.perf_counter() - started
        return result

    def _argument(
        self, plan: Target, request: RunRequest, composer: Composer, shares: Mapping[str, float]
    ) -> tuple[Any, ...]:
        """Return what `answers.answer` takes for one prompt."""
        probability, notes = composer.finish(plan)
        cut = too_long(self._text_encoder, self._texts(plan.names)) if plan.check else ()
        said = (*plan.notes, *cut, *notes, *request.notes(self._model))
        facts = self._facts(plan.names, said)
        facts.update(request.hints.to_dict())
        if own := [n for n in plan.names if name_of(n) not in self.config["trained_prompts"]]:
            near = [{"name": name, "similarity": round(a, 3)} for name, a in plan.alike]
            facts["free_text"] = {"words": text_of(own[0]), "nearest": near}
        limit = request.limit(plan, self.config["trained_prompts"])
        spent = sum(shares.get(name, 0.0) for name in plan.names)
        return plan.prompt, probability, limit, spent, facts

    def rethreshold(self, segmentation: Segmentation, threshold: float) -> Segmentation:
        """Return an answer at another threshold, without the network; see `answers`."""
        return answers.rethreshold(segmentation, threshold)

    def resolve(
        self, prompts: str | Prompt | Sequence[str | Prompt], free_text: bool = False
    ) -> list[Target | Refusal]:
        """Return how each prompt would be answered, before anything runs.

        Raises:
            PromptError: for an empty or unreadable prompt.
        """
        resolver, trained = self._resolver(), self.config["trained_prompts"]
        parsed = parse_prompts(prompts, self.vocabulary, free_text)
        parsed = expand(parsed, trained, self.vocabulary, self._taken.modality)
        plans = [resolver.resolve(prompt) for prompt in parsed]
        about = (self._text_encoder, trained, self._taken.modality)
        return [with_meaning(plan, *about) for plan in plans]

    def unload(self) -> None:
        """Give the memory back; the predictor cannot be used afterwards."""
        device = self._ladder.device
        self._model = self._text_encoder = None
        self._cache.clear()
        self._volume = self._stack = self._block = self._image = None
        release_memory(device)

    # -- inside --------------------------------------------------------------------------------

    def _alive(self) -> None:
        """Refuse to work after `unload`."""
        if self._model is None:
            raise DeviceError("The checkpoint was unloaded; load it again.")

    def _resolver(self) -> Resolver:
        """Return the resolver for the present image."""
        vertical = True
        if self._stack is not None:
            vertical = self._stack.has_vertical(self._taken.modality)
        about = (self._taken.modality, self._taken.guessed, vertical)
        return Resolver(self.config["trained_prompts"], self.vocabulary, *about)

    def _texts(self, names: Sequence[str]) -> list[str]:
        """Return what the text encoder reads for each name."""
        template = str(self.config.get("inference_template", "{x}"))
        return [text_of(name, template) for name in names]

    def _encode(self, names: Sequence[str]) -> Any:
        """Return the encoded prompts of trained names, on the device."""
        text = self._text_encoder.encode(self._texts(names))
        with torch.inference_mode():
            return self._model.encode_text(text.to(self._ladder.device))

    def _run(
        self, composers: list[Composer], progress: Progress | None, model: Any, hints: Hints
    ) -> dict[str, float]:
        """Run the network for every name that is needed; returns the time of each, s."""
        assert self._stack is not None
        names = composers[0].names
        if not names:
            return {}
        started = time.perf_counter()
        text = self._encode(names)
        self.seconds["text"] += time.perf_counter() - started
        gate = self.config.get("presence_threshold")
        arguments = (model, self._ladder, self._cache, None if gate is None else float(gate))
        searched = composers[0].searched.slices
        engine, slices = make_engine(hints, self._stack, searched, *arguments)
        writes = [composer.write for composer in composers]
        label = ", ".join(map(name_of, names[:3])) + (" ..." if len(names) > 3 else "")
        search = Search(self._stack, slices, text, writes, composers[0].ceilings, progress, label)
        facts = run_with(engine, search)
        for composer in composers:
            composer.settle(facts.presence, hints, self.config["trained_prompts"])
        self.presence = {name_of(n): float(v) for n, v in zip(names, facts.best(), strict=True)}
        self.slice_presence = dict(zip(map(name_of, names), facts.presence, strict=True))
        for stage in ("image", "decode", "network"):
            self.seconds[stage] += getattr(facts, stage)
        share = (facts.image + self.seconds["text"]) / len(names)
        return {name: facts.per_prompt[row] + share for row, name in enumerate(names)}

    def _facts(self, names: tuple[str, ...], notes: tuple[str, ...]) -> dict[str, Any]:
        """Return the JSON-ready facts of an answer."""
        assert self._stack is not None and self._block is not None
        arguments = (self.config, self._ladder, self._stack, self._block, self._roi, self._taken)
        return run_facts(*arguments, names, notes)


_STAGES = ("load", "text", "image", "decode", "network", "post")
