"""The one shape of every system."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ..nn.resampling import repeat_rows

if TYPE_CHECKING:
    from ..text.features import TextFeatures

Features = tuple[Tensor, ...]
"""Image features, every tensor with the batch first."""


@dataclass(frozen=True)
class VolumeRegion:
    """Where in a volume a structure may be.

    Attributes:
        score: evidence in [0, 1] that it is there at all.
        box: x0, y0, x1, y1 in px of the encoded slices; None = nowhere.
        slices: the first slice and the one after the last, counted from the first one looked at.
    """

    score: float
    box: tuple[float, float, float, float] | None = None
    slices: tuple[int, int] = (0, 0)


class PromptedSegmenter(nn.Module, ABC):
    """Image in, text in, mask out; the image is encoded once for any number of prompts."""

    stride: int = 1
    """Image sides must be multiples of this, px."""

    draws_samples: bool = False
    """Whether `decode_sample` draws different answers for different noise."""

    latent_size: int = 0
    """Z, the size of that noise."""

    shows_instances: bool = False
    """Whether `instances` shows the things that make up an answer one by one."""

    takes_boxes: bool = False
    """Whether `decode` listens to ``boxes``."""

    takes_points: bool = False
    """Whether `decode` listens to ``points``."""

    takes_masks: bool = False
    """Whether `decode` listens to ``masks``, an earlier answer that is to be made better."""

    shows_heat_map: bool = False
    """Whether `heat_map` says where the system looked."""

    locates: bool = False
    """Whether `similarity` and `regions` say where in a volume to look before anything is decoded;
    `decode` then gets the region of each slice as a box."""

    reports_agreement: bool = False
    """Whether its paper reports F1, pixel accuracy, kappa and mAP; `evaluate` then adds them."""

    trainer: str = ""
    """``module:function`` that trains the system in place of `training.run`, with its signature;
    for objectives that need more than one optimiser."""

    rounds_all_weights: bool = False
    """Whether autocast rounds the weights of every convolution and linear layer in each call, so
    that it can as well be done once."""

    def takes(self) -> tuple[str, ...]:
        """Return what may be asked besides text, as a checkpoint's ``takes`` says it."""
        offers = {
            "box": self.takes_boxes,
            "points": self.takes_points,
            "mask": self.takes_masks,
            "samples": self.draws_samples or self.shows_instances,
            "heat_map": self.shows_heat_map,
        }
        return tuple(name for name, offered in offers.items() if offered)

    def attach_text_encoder(self, encoder: Any) -> None:
        """Take over what the system needs of its text encoder besides encoded prompts.

        Called once, after the network is built. Nothing for most systems.
        """

    def own_text_encoder(self, spec: Mapping[str, Any]) -> Any | None:
        """Return the text encoder that is a part of the network; None for most systems.

        Args:
            spec: a checkpoint's ``text_encoder``.
        """
        return None

    def work_smaller(self) -> int | None:
        """Work on pictures of half the side from now on, when memory has run out otherwise.

        What `decode` returns keeps its size; features from before are of no use any more.

        Returns:
            The side, px; None for systems that cannot, or do so already.
        """
        return None

    def start_training(self) -> None:
        """Load pretrained parts before a training from scratch; nothing for most systems."""

    def check_plane(self, plane: str) -> None:
        """Refuse slices of a plane that make no sense for the system.

        Raises:
            InputError: with one sentence.
        """

    def encode_text(self, text: TextFeatures) -> TextFeatures:
        """Return prompts as `decode` and `presence` read them; saves doing it for every pair.

        Systems that train a part of the text encoder do it here; both methods take either.
        """
        return text

    @abstractmethod
    def encode_image(self, images: Tensor) -> Features:
        """Encode ``images`` (B, C, H, W) in [0, 1] once."""

    def keep(self, images: Tensor) -> Features:
        """Return what `decode` needs of slices whose region is known; for systems that locate."""
        return self.encode_image(images)

    @abstractmethod
    def decode(
        self,
        features: Features,
        text: TextFeatures,
        boxes: Tensor | None = None,
        points: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Answer pairs of image and prompt (row b of both belong together).

        Boxes and points are only given to systems that take them. Systems that take masks have an
        argument ``masks`` more: logits (B, 1, H, W) of an earlier answer, a row of NaN has none.

        Args:
            features: what `encode_image` returned, B rows.
            text: encoded prompts, B rows.
            boxes: optional boxes (B, 4) x0, y0, x1, y1 in px of the encoded image, pixel centres
                at whole numbers; a row of NaN has no box.
            points: optional points (B, N, 3) x, y, label; label 1 on the structure, 0 beside it,
                -1 on the padding.

        Returns:
            Logits (B, 1, H, W) of the encoded image's size, presence logits (B,).
        """

    def decode_sample(
        self, features: Features, text: TextFeatures, noise: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Return what `decode` does, for one draw of a system that `draws_samples`.

        Args:
            features: what `encode_image` returned, B rows.
            text: encoded prompts, B rows.
            noise: standard normal (Z,) or (B, Z); None is the usual answer.
        """
        if noise is not None:
            raise NotImplementedError("this system draws no samples")
        return self.decode(features, text)

    def heat_map(self, features: Features, text: TextFeatures) -> Tensor:
        """Return where the system looked, (B, 1, h, w) in [0, 1], h and w of any size.

        Only asked of a system that `shows_heat_map`; the map covers the encoded image.
        """
        raise NotImplementedError("this system shows no heat map")

    def decode_samples(
        self, features: Features, text: TextFeatures, noises: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return logits (B, K, H, W) and presence (B,) for K draws, noises (K, Z).

        Systems that can share work between the draws do it here.
        """
        drawn = [self.decode_sample(features, text, noise) for noise in noises]
        return torch.cat([logits for logits, _ in drawn], 1), drawn[0][1]

    def instances(
        self, features: Features, text: TextFeatures, count: int, boxes: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return logits (B, K, H, W) of the K best things that `decode` unites, and presence (B,).

        Only asked of a system that `shows_instances`; what there is not has logits far below 0.
        """
        raise NotImplementedError("this system shows no instances")

    def similarity(self, features: Features, text: TextFeatures) -> Tensor:
        """Return logits (B, P, h, w) of every slice with every prompt; for systems that locate."""
        raise NotImplementedError("this system does not locate")

    def regions(
        self, logits: Tensor, slice_mm: float, canvas: tuple[int, int]
    ) -> list[VolumeRegion]:
        """Return the region of each prompt; for systems that locate.

        Args:
            logits: what `similarity` returned for all slices in order, (N, P, h, w).
            slice_mm: distance of the slices, mm.
            canvas: height and width of the encoded slices, px.
        """
        raise NotImplementedError("this system does not locate")

    def presence(self, features: Features, text: TextFeatures) -> Tensor:
        """Return the logits (B,) of "the structure is in this slice".

        Systems that know it before they decode say it here; the others ask their decoder.
        """
        return self.decode(features, text)[1]

    def presence_and_rest(
        self, features: Features, text: TextFeatures
    ) -> tuple[Tensor, Features | None]:
        """Return `presence` (B,) and what `decode_rest` can go on from, B rows.

        None = `decode` has to start anew. For systems whose presence is a part of the decoder.
        """
        return self.presence(features, text), None

    def decode_rest(self, rest: Features) -> Tensor:
        """Return the logits (B, 1, H, W) that `decode` gives for the text alone.

        Args:
            rest: rows of what `presence_and_rest` returned.
        """
        raise NotImplementedError("this system keeps nothing of its presence")

    @abstractmethod
    def loss(self, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return the objective's terms; ``loss`` is the sum to minimise.

        Args:
            batch: ``image`` (B, C, H, W), ``index`` (N,) row of the image of each pair,
                ``text`` TextFeatures of N rows, ``mask`` (N, 1, H, W) in {0, 1},
                ``present`` (N,) in {0, 1}, ``valid`` (B, 1, H, W) 0 on the padding.
        """

    def check_sides(self, images: Tensor) -> None:
        """Refuse images (B, C, H, W) whose sides are no multiples of `stride`.

        Raises:
            ValueError: with one sentence.
        """
        if images.shape[-1] % self.stride or images.shape[-2] % self.stride:
            raise ValueError(f"image sides must be multiples of {self.stride} px")

    @staticmethod
    def strongest(logits: Tensor) -> Tensor:
        """Return the largest of each row's logits (B,): presence where no head says it."""
        return logits.flatten(1).amax(1)

    @staticmethod
    def index_features(features: Features, index: Tensor) -> Features:
        """Select or repeat rows of the features."""
        return tuple(repeat_rows(f, index) for f in features)
