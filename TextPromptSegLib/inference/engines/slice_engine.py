"""Runs a network over slices: image once, every prompt on it, the decoder only where needed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch

from ..device import MemoryLadder, is_out_of_memory, release_memory
from ..piles import FLOOR
from .feature_cache import FeatureCache, move, rows_of, size_of
from .search import RunFacts, Search

if TYPE_CHECKING:
    from ...image.slice_stack import SliceStack
    from ...systems.base import Features, PromptedSegmenter
    from ...text.features import TextFeatures

T = TypeVar("T")

REST_BYTES = 256 << 20
"""Most memory for what `presence` began and `decode` may go on from."""


class SmallerPictures(Exception):
    """Memory ran out and the network takes smaller pictures now: what was encoded is too large."""


@dataclass
class SliceBatch:
    """Consecutive slices with their features.

    Attributes:
        first: number of the first slice.
        count: number of slices.
        features: of the network, one row a slice.
    """

    first: int
    count: int
    features: Features


class SliceEngine:
    """Encodes slices in batches, asks for presence, decodes the slices that hold the structure.

    Args:
        model: the network, on ``ladder.device``.
        ladder: batch sizes, number format, and what to do when memory runs out.
        cache: keeps features between calls.
        presence_threshold: the decoder is skipped on slices whose presence is below; None
            decodes every slice.
    """

    goes_on = True
    """Whether the decoder may go on from what presence began: the text alone asks."""

    def __init__(
        self,
        model: PromptedSegmenter,
        ladder: MemoryLadder,
        cache: FeatureCache,
        presence_threshold: float | None,
    ) -> None:
        self.model, self.ladder, self.cache = model, ladder, cache
        self.gate = presence_threshold
        self.shown: frozenset[int] = frozenset()  # slices that are decoded whatever presence says
        self._facts = RunFacts(np.zeros((0, 0)), np.zeros((0, 0), bool))
        # (first slice, prompt) -> what presence began and the decoder may go on from
        self._rests: dict[tuple[int, int], Features] = {}

    def run(self, search: Search) -> RunFacts:
        """Answer every prompt on every slice.

        Where a prompt has no slice over the presence threshold, its best slice is decoded all
        the same and its probabilities are capped below the prompt's ceiling, in proportion to
        the presence: what falls short can be told from what is not there at all.

        Raises:
            Cancelled: when ``search.progress`` returned False.
            DeviceError: when no memory is left even after stepping down.
        """
        slices = search.slices
        self._facts = search.facts(np.nan)
        self._rests.clear()
        before: SliceBatch | None = None
        position = slices.start

        def tell() -> None:
            search.tell("slice", position - slices.start, len(slices))

        with torch.inference_mode():
            while position < slices.stop:
                tell()
                batch = self.features(search.stack, position, slices.stop)
                for some, runs in self._wanted(search, batch, before):
                    tell()
                    self._decode(search, some, runs)
                self._forget(before)
                before = batch
                position += batch.count
            self._rests.clear()
            tell()
            self._decode_best(search)
        return self._facts

    # -- image ---------------------------------------------------------------------------------

    def features(self, stack: SliceStack, first: int, stop: int) -> SliceBatch:
        """Return the features of the next few slices, cached or computed."""
        started = time.perf_counter()
        found = self.cache.get(first, stop - first)
        if found is None:
            found = self._guarded(lambda: self._encode(stack, first, stop))
            self.cache.put(first, found)
        self._facts.image += time.perf_counter() - started
        return SliceBatch(first, found[0].shape[0], found)

    def _encode(self, stack: SliceStack, first: int, stop: int) -> Features:
        """Run the image encoder once on as many slices as a batch takes."""
        count = self.cache.run_of_missing(first, min(self.ladder.batch, stop - first))
        images = stack.images(first, first + count).to(self.ladder.device)
        images = images.contiguous(memory_format=torch.channels_last)
        return self._network(lambda: self.model.encode_image(images))

    # -- prompts -------------------------------------------------------------------------------

    def _wanted(
        self, search: Search, batch: SliceBatch, before: SliceBatch | None
    ) -> list[tuple[SliceBatch, list[tuple[int, int, int]]]]:
        """Return what to decode: batches with runs (prompt, first row, last row) of slices.

        A slice beside one that holds the structure is decoded too: the end of an organ is where
        presence is least certain. The last slice of the batch before may therefore come up now.
        """
        facts, text, origin = self._facts, search.text, search.slices.start
        here = slice(batch.first - origin, batch.first - origin + batch.count)
        if self.gate is None:
            return [(batch, [(p, 0, batch.count) for p in range(len(text))])]
        facts.presence[:, here] = self._presence(batch, text)
        over = facts.presence >= self.gate  # NaN, not yet known, is False
        over[:, [n - origin for n in self.shown if n in search.slices]] = True
        near = over.copy()
        near[:, 1:] |= over[:, :-1]
        near[:, :-1] |= over[:, 1:]
        near &= ~facts.decoded
        runs = [(p, a, b) for p in range(len(text)) for a, b in runs_of(near[p, here])]
        wanted = [(batch, runs)] if runs else []
        if before is not None:
            last = here.start - 1
            late = [
                (p, before.count - 1, before.count) for p in np.flatnonzero(near[:, last]).tolist()
            ]
            if late:
                wanted.insert(0, (before, late))
        return wanted

    def _presence(self, batch: SliceBatch, text: TextFeatures) -> np.ndarray:
        """Return (P, n) probabilities that each structure is in each slice."""
        started = time.perf_counter()
        values = np.zeros((len(text), batch.count))
        for prompt in range(len(text)):
            logits = self._guarded(partial(self._ask_presence, batch, text, prompt))
            values[prompt] = torch.sigmoid(logits.float()).cpu().numpy()
        spent = time.perf_counter() - started
        self._facts.decode += spent
        for prompt in range(len(text)):
            self._facts.per_prompt[prompt] += spent / len(text)
        return values

    def heat_map(self, batch: SliceBatch, text: TextFeatures, prompt: int) -> torch.Tensor:
        """Return where the network looks for one prompt, (n, 1, h, w) in [0, 1]."""

        def ask() -> torch.Tensor:
            features = move(batch.features, self.ladder.device)
            rows = _repeat(text, prompt, batch.count, self.ladder.device)
            return self._network(lambda: self.model.heat_map(features, rows))

        return self._guarded(ask)

    def _ask_presence(self, batch: SliceBatch, text: TextFeatures, prompt: int) -> torch.Tensor:
        """Ask for one prompt on every slice of a batch."""
        features = move(batch.features, self.ladder.device)
        rows = _repeat(text, prompt, batch.count, self.ladder.device)
        if not self.goes_on:
            return self._network(lambda: self.model.presence(features, rows))
        logits, rest = self._network(lambda: self.model.presence_and_rest(features, rows))
        if rest is not None:
            room = REST_BYTES - sum(map(size_of, self._rests.values()))
            if size_of(rest) <= room:
                self._rests[batch.first, prompt] = rest
        return logits

    def _forget(self, batch: SliceBatch | None) -> None:
        """Drop what was begun on a batch; nothing of it will be decoded any more."""
        for key in [k for k in self._rests if batch is not None and k[0] == batch.first]:
            del self._rests[key]

    def _decode(
        self,
        search: Search,
        batch: SliceBatch,
        runs: Sequence[tuple[int, int, int]],
        cap: float = 1.0,
    ) -> None:
        """Decode runs of slices, several prompts in one pass where memory allows."""
        todo = list(runs)
        while todo:
            started = time.perf_counter()
            taken = self._take(todo)
            logits = self._guarded(partial(self._ask, batch, taken, search.text))
            if logits is None:  # memory ran out: the same runs again, in smaller parts
                todo = taken + todo
                continue
            row = 0
            for prompt, first, last in taken:
                here = logits[row : row + last - first]
                for channel, put in enumerate(search.writes):
                    probability = search.stack.probabilities(here[:, channel : channel + 1], FLOOR)
                    if cap < 1.0:
                        np.minimum(probability, np.float16(cap), out=probability)
                    put(prompt, batch.first + first, probability)
                offset = batch.first - search.slices.start
                self._facts.decoded[prompt, offset + first : offset + last] = True
                row += last - first
            spent = time.perf_counter() - started
            self._facts.decode += spent
            for prompt, first, last in taken:
                self._facts.per_prompt[prompt] += spent * (last - first) / row

    def _take(self, todo: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
        """Take runs from the front that together fit into one pass, splitting the last one."""
        taken: list[tuple[int, int, int]] = []
        room = self.ladder.pairs
        while todo and room > 0:
            prompt, first, last = todo.pop(0)
            if last - first > room:
                if taken:
                    todo.insert(0, (prompt, first, last))
                    break
                todo.insert(0, (prompt, first + room, last))
                last = first + room
            taken.append((prompt, first, last))
            room -= last - first
        return taken

    def _ask(
        self, batch: SliceBatch, runs: Sequence[tuple[int, int, int]], text: TextFeatures
    ) -> torch.Tensor | None:
        """Run the decoder once; None when the runs no longer fit after stepping down."""
        if sum(last - first for _, first, last in runs) > self.ladder.pairs:
            return None
        begun = [self._rests.get((batch.first, prompt)) for prompt, _, _ in runs]
        if begun and None not in begun:
            parts = [
                rows_of(rest, first, last)
                for rest, (_, first, last) in zip(begun, runs, strict=True)
                if rest is not None
            ]
            whole = parts[0] if len(parts) == 1 else tuple(map(torch.cat, zip(*parts, strict=True)))
            return self._network(lambda: self.model.decode_rest(whole))
        device = self.ladder.device
        features = move(batch.features, device)
        prompts = [p for p, first, last in runs for _ in range(first, last)]
        places = [r for _, first, last in runs for r in range(first, last)]
        if len(runs) == 1:  # the usual case on a CPU: rows are used where they lie
            prompt, first, last = runs[0]
            features = rows_of(features, first, last)
            rows = _repeat(text, prompt, last - first, device)
        else:
            features = self.model.index_features(features, torch.tensor(places, device=device))
            rows = text.index(torch.tensor(prompts, device=text.pooled.device)).to(device)
        return self._forward(features, rows, prompts, [batch.first + row for row in places])

    def _forward(
        self, features: Features, text: TextFeatures, prompts: list[int], numbers: list[int]
    ) -> torch.Tensor:
        """Return logits (B, 1, H, W); row b asks ``prompts[b]`` on slice ``numbers[b]``."""
        return self._network(lambda: self.model.decode(features, text)[0])

    def _decode_best(self, search: Search) -> None:
        """Decode the best slice of prompts that stayed below the presence threshold."""
        if self.gate is None:
            return
        for prompt in np.flatnonzero(~self._facts.decoded.any(axis=1)).tolist():
            best = int(np.argmax(self._facts.presence[prompt]))
            cap = search.ceilings[prompt] * float(self._facts.presence[prompt, best]) / self.gate
            number = search.slices.start + best
            batch = self.features(search.stack, number, number + 1)
            self._decode(search, batch, [(prompt, 0, 1)], cap)
            self._facts.decoded[prompt] = False

    # -- the network ---------------------------------------------------------------------------

    def _network(self, forward: Callable[[], T]) -> T:
        """Run a part of the network in the ladder's number format."""
        started = time.perf_counter()
        dtype = self.ladder.dtype
        with torch.autocast(self.ladder.device.type, dtype=dtype, enabled=dtype is not None):
            result = forward()
        self._facts.network += time.perf_counter() - started
        return result

    def _guarded(self, step: Callable[[], T]) -> T:
        """Run a step; when memory runs out, step down and run it again."""
        while True:
            try:
                return step()
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                # The traceback holds the frames and with them the tensors.
                error.__traceback__ = None
            device, side = self.ladder.device, self.ladder.side
            self._rests.clear()
            self.ladder.step_down(getattr(self.model, "work_smaller", None))
            if self.ladder.device != device:
                self.model.to(self.ladder.device)
                self.cache.clear()
            if device.type != "cpu":
                release_memory(device)
            if self.ladder.side != side:
                self.cache.use((self.cache.image, self.ladder.side))
                raise SmallerPictures


def run_with(engine: SliceEngine, search: Search) -> RunFacts:
    """Return what `SliceEngine.run` does, begun anew where the network takes smaller pictures."""
    while True:
        with suppress(SmallerPictures):
            return engine.run(search)


def _repeat(text: TextFeatures, prompt: int, count: int, device: Any) -> TextFeatures:
    """Return one prompt's row, repeated."""
    index = torch.full((count,), prompt, dtype=torch.long, device=text.pooled.device)
    return text.index(index).to(device)


def runs_of(flags: np.ndarray) -> list[tuple[int, int]]:
    """Return the half-open runs of True in a row of flags."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
