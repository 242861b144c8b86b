"""OMT-SAM for the benchmarks; run as a program it prints the peak memory of a run, MB."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE)]

NAMES = ("liver", "spleen", "pancreas")
PAPER = HERE.parents[1] / "TextPromptSegLib" / "systems" / "omt_sam" / "recipe_large_btcv.json"
BIOMED = {
    "embed_dim": 512,
    "vision_cfg": {"image_size": 224, "layers": 12, "width": 768, "head_width": 64},
    "text_cfg": {
        "hf_model_name": "bert",
        "hf_proj_type": "mlp",
        "hf_pooler_type": "cls_last_hidden_state_pooler",
        "context_length": 256,
    },
}
"""BiomedCLIP's sizes: a ViT-B/16 and a BERT base. What they cost does not depend on weights."""


class RandomClip:
    """A CLIP of BiomedCLIP's sizes with random weights, without a tokenizer: six tokens a prompt.

    As the real one, it runs its text tower once for each new prompt.
    """

    token_dim = patch_dim = 768
    dim = 512

    def __init__(self) -> None:
        from TextPromptSegLib.text.clip_layout import build_model
        from TextPromptSegLib.text.clip_visual import ClipVisual

        values = {**BIOMED, "vision_cfg": {**BIOMED["vision_cfg"], "patch_size": 16}}  # type: ignore[dict-item]
        model = build_model(values, {"model_type": "bert", "vocab_size": 30522})
        self.text = model.text.transformer.eval()
        self.visual = ClipVisual(model.visual, (224, 224), (0.5,) * 3, (0.3,) * 3)
        self._known: dict[str, Any] = {}

    def encode(self, prompts: Sequence[str]) -> Any:
        """Return the prompts' token states."""
        import torch

        from TextPromptSegLib.text.features import TextFeatures, masked_mean

        for text in set(prompts) - set(self._known):
            words = torch.tensor([[2, *(1000 + ord(c) for c in text[:4].ljust(4)), 3]])
            with torch.inference_mode():
                self._known[text] = self.text(input_ids=words).last_hidden_state
        tokens = torch.cat([self._known[text] for text in prompts])
        mask = torch.ones(tokens.shape[:2], dtype=torch.bool)
        return TextFeatures(tokens, mask, masked_mean(tokens, mask)[:, : self.dim])


def paper_size(side: int = 1024) -> Any:
    """Return the network of the paper's recipe with random weights, as a loaded checkpoint.

    Args:
        side: of the pictures it takes, px; 1024 is the paper's.
    """
    import torch

    from TextPromptSegLib.inference.loaded_checkpoint import LoadedCheckpoint
    from TextPromptSegLib.systems.registry import create

    recipe = json.loads(PAPER.read_text(encoding="utf-8"))
    torch.manual_seed(0)
    sizes = {**recipe["config"], "start_from": None, "image_size": side}
    model = create(recipe["system"], sizes)
    clip = RandomClip()
    model.attach_text_encoder(clip)
    config = {
        "name": "paper-size",
        "system": recipe["system"],
        "config": {},
        "input": {**recipe["input"], "size": side, "multiple": side, "canvases": [side]},
        "text_encoder": {"id": "random"},
        "planes": ["axial"],
        "presence_threshold": 0.0,  # every slice is decoded
        "trained_prompts": {name: {"modalities": ["CT"]} for name in NAMES},
        "licence": {},
    }
    return LoadedCheckpoint(model.eval(), config, clip, HERE)


def main() -> None:
    """Segment two structures: ``compact`` in a CT of 512 x 512 x 96, ``paper`` in N slices."""
    from bench_setup import ct
    from peak_memory import peak_mb

    from TextPromptSegLib.inference.device import keep_freed_memory
    from TextPromptSegLib.inference.loaded_checkpoint import load
    from TextPromptSegLib.inference.predictor import SlicePredictor

    keep_freed_memory()
    size, *slices = sys.argv[1:]
    checkpoint = load("omt-sam-compact", "cpu") if size == "compact" else paper_size()
    predictor = SlicePredictor(checkpoint, "cpu", "auto" if size == "compact" else "float32")
    predictor.set_volume(ct((int(slices[0]) if slices else 96, 512, 512)))
    predictor.segment(list(NAMES[:2]))
    print(peak_mb())


if __name__ == "__main__":
    main()
