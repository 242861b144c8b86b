"""What every test shares: the real images beside the checkout, quiet threads, no network."""

from __future__ import annotations

import os
from pathlib import Path

# Set before torch, Qt or matplotlib are imported by a test.
# Alone in all cores, or one of several processes, each with a core of its own.
os.environ.setdefault(
    "OMP_NUM_THREADS",
    "1" if "PYTEST_XDIST_WORKER" in os.environ else str(min(os.cpu_count() or 2, 4)),
)
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import pytest
from hypothesis import settings

from TextPromptSegLib.torchvision_operators import declare_torchvision_operators

ROOT = Path(__file__).resolve().parents[1]

# A busy machine is no failure, and a test that passed here passes there.
settings.register_profile("project", deadline=None, derandomize=True)
settings.load_profile("project")


def pytest_sessionstart() -> None:
    """Make torchvision importable; only now, since PySide6 must be imported before torch is."""
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

    from TextPromptSegLib.checkpoints import weights
    from TextPromptSegLib.systems.registry import create

    tiny_bert.write_tiny_bert(tmp_path / "encoders" / "tiny")
    monkeypatch.setenv("TEXTPROMPTSEG_ENCODERS", str(tmp_path / "encoders"))
    sizes = {**tiny.SIZES, "text_dim": tiny_bert.SIZES["text_dim"]}
    config = tiny.tiny_config(config=sizes, text_encoder={"id": "tiny"})
    model = create("film-unet", sizes).eval()
    return weights.save(tmp_path / "models" / "tiny", model, config, card="# Tiny\n\nFor tests.\n")
