"""Sizes of the U-Net that stands in the papers' tables as a baseline."""

from __future__ import annotations

from dataclasses import dataclass

from ..settings import make_tuples


@dataclass(frozen=True)
class MonaiUNetConfig:
    """Everything that shapes the network.

    Attributes:
        names: structures, one channel each; a prompt means the one whose name its sentence vector
            is nearest to, so that synonyms and templates reach it too.
        in_channels: channels of the image.
        channels: of the stages, halving the resolution between them.
        res_units: residual units a stage, 0 = plain convolutions.
        dropout: probability of dropping a value.
        text_dim: size of a sentence vector.
    """

    names: tuple[str, ...] = ("liver",)
    in_channels: int = 1
    channels: tuple[int, ...] = (32, 64, 128, 256, 512)
    res_units: int = 2
    dropout: float = 0.0
    text_dim: int = 768

    def __post_init__(self) -> None:
        """Make tuples of JSON lists and refuse what cannot be built.

        Raises:
            ValueError: for a size that the network does not have.
        """
        make_tuples(self, "names", "channels")
        if not self.names or len(set(self.names)) != len(self.names):
            raise ValueError("names needs at least one structure, each once")
        if len(self.channels) < 2 or min(self.channels) < 1:
            raise ValueError("channels needs at least two positive entries")

    @property
    def stride(self) -> int:
        """Pixels of the image per place of the deepest stage."""
        return 2 ** (len(self.channels) - 1)
