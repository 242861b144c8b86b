"""The console call that does what the panel does, as text for the clipboard."""

from __future__ import annotations

from collections.abc import Sequence

from ..shared.runs import RunRequest


def as_python(request: RunRequest, prompts: Sequence[str], threshold: float | None) -> str:
    """Return Python code for Slicer's console.

    Args:
        request: the run that the panel describes.
        prompts: the prompts as words.
        threshold: the user's threshold, None for the checkpoint's own.
    """
    lines = [
        "from TextPromptSeg import TextPromptSegLogic",
        "",
        f"volumeNode = {_node(request.volume_node)}",
    ]
    options = [f"    model={request.model!r},"]
    if request.segmentation_node is not None:
        options.append(f"    segmentation={_node(request.segmentation_node)},")
    if threshold is not None:
        options.append(f"    threshold={threshold:.2f},")
    if request.roi is not None:
        options.append(f"    roi={_node(request.roi)},")
    if request.slices is not None:
        options.append(f"    slices={tuple(request.slices)!r},")
    if request.plane:
        options.append(f"    plane={request.plane!r},")
    if request.modality:
        options.append(f"    modality={request.modality!r},")
    if request.samples:
        options.append(f"    samples={request.samples},")
    hints = request.hints
    for name in ("box", "points", "outside"):
        node = getattr(hints, name)
        if node is not None:
            options.append(f"    {name}={_node(node)},")
    options += [f"    {n}=True," for n in ("two_pass", "propagate") if getattr(hints, n)]
    if request.device != "auto":
        options.append(f"    device={request.device!r},")
    if request.frame is not None:
        options.append('    frames="all",')
    return "\n".join(
        [
            *lines,
            "logic = TextPromptSegLogic()",
            "segmentationNode = logic.segment(",
            "    volumeNode,",
            f"    {list(prompts)!r},",
            *options,
            ")",
            "for result in logic.results:",
            "    print(result.prompt.name, result.outcome.value, result.message)",
            "",
        ]
    )


def _node(node: object) -> str:
    name = node.GetName()  # type: ignore[attr-defined]
    return f"slicer.util.getNode({name!r})"
