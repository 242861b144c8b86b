"""What every test shares: the real images beside the checkout, quiet threads, no network."""

from __future__ import annotations

import os
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

# Set before torch, Qt or matplotlib are imported by a test.
os.environ.setdefault("OMP_NUM_THREADS", str(min(os.cpu_count() or 2, 4)))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]

# A busy machine is no failure, and a test that passed here passes there.
settings.register_profile("project", deadline=None, derandomize=True)
settings.load_profile("project")

_OPERATORS = []


def declare_torchvision_operators() -> bool:
    """Declare torchvision's two operators where its own library does not load beside this torch.

    A torchvision built for CUDA cannot be imported beside a CPU torch: its compiled library does
    not load, and its Python code then registers shapes for operators that nobody declared. The
    tests need the import, not the operators. Nothing happens where the real ones load.

    Returns:
        True when the operators were declared here.
    """
    spec = find_spec("torchvision")
    if spec is None or not spec.submodule_search_locations or _OPERATORS:
        return False
    import torch

    for folder in spec.submodule_search_locations:
        for library in sorted(Path(folder).glob("_C*")):
            with suppress(OSError, RuntimeError):
                torch.ops.load_library(str(library))
    if hasattr(torch.ops.torchvision, "nms"):
        return False
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _OPERATORS.append(library)  # the declaration lives as long as this object
    return True


declare_torchvision_operators()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real images beside the checkout, read only; skips where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("real images not found at ../shared/data: skipped")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _own_user_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the tests away from the checkpoints and settings of whoever runs them."""
    os.environ["TEXTPROMPTSEG_HOME"] = str(tmp_path_factory.mktemp("home"))


@pytest.fixture
def tiny_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A real, untrained FiLM U-Net with a tiny BERT: the whole way, nothing left out or fetched."""
    import tiny_bert
    import tiny_checkpoint as tiny

    from TextPromptSegLib import checkpoint
    from TextPromptSegLib.registry import create

    tiny_bert.write_tiny_bert(tmp_path / "encoders" / "tiny")
    monkeypatch.setenv("TEXTPROMPTSEG_ENCODERS", str(tmp_path / "encoders"))
    sizes = {**tiny.SIZES, "text_dim": tiny_bert.SIZES["text_dim"]}
    config = tiny.tiny_config(config=sizes, text_encoder={"id": "tiny"})
    model = create("film-unet", sizes).eval()
    return checkpoint.save(
        tmp_path / "models" / "tiny", model, config, card="# Tiny\n\nFor tests.\n"
    )
