"""What is done with every case of a batch, and whether a case was done before."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..checkpoints.model_info import DEFAULT_MODEL
from ..files.text import file_sha256, read_json
from ..inference import loading
from ..outcome import InputError
from ..prompting.prompt import Prompt
from ..resources import VERSION
from .batch_summary import CaseResult
from .cases import RECORD_SUFFIX, Case, fingerprint
from .job import PredictorFactory, RunOptions
from .outputs import PICTURE_SUFFIXES, Outputs
from .report import plain

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class BatchJob:
    """What is done with every case; travels to the workers of a cluster.

    Attributes:
        prompts: what to segment.
        output_dir: where the results go.
        model: name, folder or hub id of the checkpoint.
        device: "auto", "cpu" or "cuda:N".
        options: threshold, region and the like.
        suffix: kind of the segmentation files, for example ".seg.nrrd".
        overlay: whether to write a picture of every case.
        model_digest: `config_digest` of the checkpoint; empty where it is not known.
        factory: makes the predictor; `load_predictor` when None.
        paths: whether reports and summaries hold the paths of the images.
    """

    prompts: tuple[Prompt, ...]
    output_dir: Path
    model: str = DEFAULT_MODEL
    device: str = "auto"
    options: RunOptions = field(default_factory=RunOptions)
    suffix: str = ".seg.nrrd"
    overlay: bool = False
    model_digest: str = ""
    factory: PredictorFactory | None = None
    paths: bool = True

    def load(self) -> Any:
        """Load the model."""
        return (self.factory or loading.load_predictor)(self.model, self.device)

    def outputs(self, case: Case) -> Outputs:
        """Return the files of one case."""
        base = self.output_dir / case.id
        return Outputs(
            segmentation=base.with_name(base.name + self.suffix),
            report=base.with_name(base.name + RECORD_SUFFIX),
            overlay=base.with_name(base.name + ".png") if self.overlay else None,
        )

    def told(self, case: Case) -> str:
        """Return what reports and summaries call the image."""
        return str(case.source) if self.paths else ""

    def failed(self, case: Case, sentence: str, seconds: float = 0.0) -> CaseResult:
        """Return the result of a case that failed, without paths where none are wanted."""
        if not self.paths:
            for folder in (case.source.parent, self.output_dir, Path(os.path.abspath("."))):
                sentence = sentence.replace(f"{folder}{os.sep}", "").replace(str(folder), "")
        return CaseResult(case.id, self.told(case), "failed", error=sentence, seconds=seconds)

    def identity(self) -> dict[str, Any]:
        """Return everything that a result depends on besides the image, JSON-ready."""
        return {
            "version": VERSION,
            "prompts": [[p.text, p.describe()] for p in self.prompts],
            "model": [self.model, self.model_digest],
            "options": self.options.to_dict(),
            "suffix": self.suffix,
            "overlay": self.overlay,
            "paths": self.paths,
        }


def config_digest(config: Mapping[str, Any]) -> str:
    """Return the sha256 of a checkpoint's configuration, which names the sha256 of its weights."""
    content = json.dumps(plain(config), sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def finished_before(case: Case, job: BatchJob) -> CaseResult | None:
    """Return the result of an earlier run of the same job, or None when it has to be done."""
    outputs = job.outputs(case)
    assert outputs.report is not None and outputs.segmentation is not None
    try:
        record = read_json(outputs.report)
        if record["status"] != "done" or record["fingerprint"] != fingerprint(case, job.identity()):
            return None
        for name, stamp in record["files"].items():
            path = job.output_dir / name
            if path.stat().st_size != stamp["bytes"] or file_sha256(path) != stamp["sha256"]:
                return None
        if not outputs.segmentation.is_file():
            return None
        return CaseResult(
            id=case.id,
            source=job.told(case),
            status="resumed",
            prompts=tuple(record["prompts"]),
            output=outputs.segmentation.relative_to(job.output_dir).as_posix(),
            seconds=float(record["case_seconds"]),
            image=image_facts(record),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, InputError):
        return None


def image_facts(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a report says of the image itself."""
    facts = report["provenance"]
    return {key: facts[key] for key in ("taken_for", "series") if key in facts}


def earlier_files(case: Case, job: BatchJob) -> list[Path]:
    """Return the files of this case's earlier run that must not stay beside the new ones.

    A segmentation of another kind, with what belongs to it, is left alone: its user wanted it.
    """
    outputs = job.outputs(case)
    assert outputs.report is not None and outputs.segmentation is not None
    try:
        names = [Path(name) for name in read_json(outputs.report)["files"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    place = outputs.segmentation
    base = Path(case.id).name
    own = [
        place.with_name(name.name)
        for name in names
        if name.parent == Path(case.id).parent and name.name.startswith((f"{base}.", f"{base}_"))
    ]
    if place in own:
        return own
    return [path for path in own if path.name.lower().endswith(PICTURE_SUFFIXES)]
