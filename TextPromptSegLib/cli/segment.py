"""`textpromptseg segment`: one image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files.checks import KnownFiles
from ..formats.members import input_files
from ..image.modality import taken_for, with_modality
from ..inference import loading
from ..inference.everything import sentence
from ..jobs import job
from ..jobs.job import RunOptions
from ..jobs.outputs import Outputs
from ..prompting.vocabulary import Vocabulary
from .console import remark, run_with_bar, say, show_parse, show_results
from .exits import EXIT_DONE, EXIT_NOT_FOUND

if TYPE_CHECKING:
    from ..prompting.prompt import Prompt


def segment_image(
    source: Path,
    prompts: Sequence[str],
    *,
    model: str,
    outputs: Outputs,
    options: RunOptions,
    device: str,
    paths: bool = True,
    free_text: bool = False,
) -> int:
    """Show the parse and the licence, segment one image, write, and print the table.

    Raises:
        TextPromptSegError: with one sentence that says what to do.
    """
    parsed = job.known_prompts(prompts, free_text)
    known = [*input_files(source), *([] if options.start is None else input_files(options.start))]
    outputs.check(KnownFiles(known), more=options.leaves_more)
    show_request(parsed, model)

    def work(progress: Any) -> job.JobResult:
        # The image comes first: what is wrong with it shows before the model is loaded.
        progress(0, 0, "reading the image")
        volume = job.read_image(source, outputs, options)
        volume = with_modality(volume, options.modality)
        if options.roi is not None:
            volume.box_to_slices(*options.roi)
        for note in volume.meta.get("notes", ()):
            remark(f"note: {note}")
        progress(0, 0, f"loading {model}")
        predictor = loading.load_predictor(model, device)
        modality = taken_for(volume).modality
        trained = predictor.config.get("trained_prompts", {})
        for prompt in parsed:
            if prompt.everything:
                remark(sentence(prompt, trained, Vocabulary.load(), modality))
        return job.run_job(
            predictor,
            source,
            parsed,
            outputs,
            options,
            volume=volume,
            progress=progress,
            paths=paths,
        )

    result: job.JobResult = run_with_bar("starting", work)
    show_results(result.segmentations, result.volume)
    say(taken_for(result.volume).sentence, "dim")
    for path in result.files:
        say(f"wrote {path}")
    for path in result.removed:
        remark(f"removed {path}, which belonged to an earlier run")
    if not result.files:
        remark("nothing was written; add -o, --report or --overlay")
    return EXIT_DONE if job.all_found(result.segmentations) else EXIT_NOT_FOUND


def show_request(prompts: Sequence[Prompt], model: str) -> None:
    """Print how prompts were understood and how good the checkpoint is at them, and its licence.

    Raises:
        CheckpointError: when the checkpoint is not on this machine.
    """
    from ..checkpoints import catalogue, layout
    from ..inference.prospect import prospects

    trained = layout.read_config(catalogue.resolve(model))["trained_prompts"]
    show_parse(prompts, [prospect.quality for prospect in prospects(prompts, trained)])
    show_licence(model)


def show_licence(model: str) -> None:
    """Print the licence of a checkpoint in one line; one that is missing fails here.

    Raises:
        CheckpointError: when the checkpoint is not on this machine.
    """
    from ..checkpoints import catalogue, layout

    config = layout.read_config(catalogue.resolve(model))
    line = config["licence"].get("line") or "licence not stated"
    say(f"{config['name']}: {' '.join(str(line).split())}", "dim")
