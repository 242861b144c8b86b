"""Slicer module "Text Prompt Segmentation": registers the effect, shows the panel, console API.

``TextPromptSegLogic().segment(volumeNode, ["liver"])`` works the same in Slicer's Python console
and in a plain Python with the package slicer-core. Nothing heavy is imported before it is used.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import unittest
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import slicer
import slicer.util

try:
    from slicer.i18n import tr as _
    from slicer.i18n import translate
except ImportError:  # slicer-core has no translations

    def _(text: str) -> str:
        return text

    def translate(context: str, text: str) -> str:  # noqa: D103
        return text


try:
    from slicer.ScriptedLoadableModule import (
        ScriptedLoadableModule,
        ScriptedLoadableModuleLogic,
        ScriptedLoadableModuleTest,
        ScriptedLoadableModuleWidget,
    )
except ImportError:  # plain Python: only the logic and its test can be used there

    class ScriptedLoadableModule:  # noqa: D101
        def __init__(self, parent: Any = None) -> None:
            self.parent = parent

    class ScriptedLoadableModuleWidget:  # noqa: D101
        def __init__(self, parent: Any = None) -> None:
            self.parent = parent

    class ScriptedLoadableModuleLogic:  # noqa: D101
        def __init__(self, parent: Any = None) -> None:
            self.parent = parent

    ScriptedLoadableModuleTest = unittest.TestCase


DEFAULT_MODEL = "film-unet-compact"


def _findLibrary() -> None:
    """Let ``import TextPromptSegLib`` work from the source tree, where it lies one folder up."""
    here = os.path.dirname(os.path.abspath(__file__))
    for folder, package in (
        (here, "TextPromptSegMRML"),
        (os.path.dirname(here), "TextPromptSegLib"),
    ):
        if importlib.util.find_spec(package) is None and os.path.isdir(
            os.path.join(folder, package)
        ):
            sys.path.append(folder)


def _loadTranslations() -> None:
    """Load this extension's texts in the language that the user chose, as Slicer loads its own."""
    load = getattr(getattr(slicer, "app", None), "loadTranslations", None)
    if load is not None:
        here = os.path.dirname(os.path.abspath(__file__))
        load(os.path.join(here, "Resources", "Translations").replace("\\", "/"))


class TextPromptSeg(ScriptedLoadableModule):
    """Description of the module; registers the Segment Editor effect when Slicer has started."""

    def __init__(self, parent: Any) -> None:
        """Fill in what the module list shows."""
        ScriptedLoadableModule.__init__(self, parent)
        _loadTranslations()
        parent.title = _("Text Prompt Segmentation")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        parent.dependencies = ["Segmentations"]
        parent.contributors = ["TextPromptSeg contributors"]
        parent.helpText = _(
            "Segment structures in CT, MR and X-ray images by typing what to segment. The same is "
            "available as the effect 'Text prompt' of Segment Editor. Results are suggestions for "
            "research and must be checked; they are not for diagnosis."
        )
        parent.acknowledgementText = _(
            "Each checkpoint's card names the paper behind it, its training data and its licence."
        )
        _findLibrary()
        if getattr(slicer, "app", None) is not None:
            slicer.app.connect("startupCompleted()", self.registerEffect)
            slicer.app.connect("startupCompleted()", self.registerSampleData)

    def registerEffect(self) -> None:
        """Add the effect "Text prompt" to Segment Editor."""
        import qSlicerSegmentationsEditorEffectsPythonQt as effects

        folder = os.path.join(os.path.dirname(__file__), "TextPromptSegEffect")
        instance = effects.qSlicerSegmentEditorScriptedEffect(None)
        path = os.path.join(folder, "SegmentEditorEffect.py")
        instance.setPythonSource(path.replace("\\", "/"))
        instance.self().register()

    def registerSampleData(self) -> None:
        """Offer the tutorial's image in the module Sample Data."""
        from TextPromptSegGUI.shared import sample_data

        sample_data.register()


class TextPromptSegWidget(ScriptedLoadableModuleWidget):
    """The module's panel; all of it is built in TextPromptSegGUI."""

    def __init__(self, parent: Any = None) -> None:
        """Make the widget without building it."""
        ScriptedLoadableModuleWidget.__init__(self, parent)
        self.logic: TextPromptSegLogic | None = None
        self.panel: Any = None

    def setup(self) -> None:
        """Build the panel."""
        ScriptedLoadableModuleWidget.setup(self)
        from TextPromptSegGUI.panel.panel import TextPromptSegPanel

        self.logic = TextPromptSegLogic()
        self.panel = TextPromptSegPanel(self.layout, self.logic)

    def enter(self) -> None:
        """Tell the panel that it is shown."""
        if self.panel is not None:
            self.panel.enter()

    def exit(self) -> None:
        """Tell the panel that another module is shown."""
        if self.panel is not None:
            self.panel.exit()

    def cleanup(self) -> None:
        """Let the panel disconnect everything before it goes."""
        if self.panel is not None:
            self.panel.cleanup()
            self.panel = None


class TextPromptSegLogic(ScriptedLoadableModuleLogic):
    """Segment volume nodes by text, blocking; the console API.

    Attributes:
        results: the `Segmentation` of each prompt of the last run, in the order of the prompts;
            for a sequence a dict from frame number to such a list.
        written: what each segment of the last run got (`WrittenSegment`).
    """

    _shared: ClassVar[Any] = None

    def __init__(self, parent: Any = None, predictorFactory: Callable[..., Any] | None = None):
        """Make a logic; nothing is loaded before the first run.

        Args:
            parent: as Slicer passes it.
            predictorFactory: (model, device=...) -> predictor, in place of
                ``SlicePredictor.from_pretrained``; its predictors are kept by this logic alone.
        """
        ScriptedLoadableModuleLogic.__init__(self, parent)
        _findLibrary()
        from TextPromptSegMRML.editing import SavedState
        from TextPromptSegMRML.runs import Predictors
        from TextPromptSegMRML.scene import headless_scene

        headless_scene()
        if TextPromptSegLogic._shared is None:
            TextPromptSegLogic._shared = Predictors()
        self._predictors = Predictors(predictorFactory) if predictorFactory else self._shared
        self._saved = SavedState()
        self.results: Any = []
        self.written: list[Any] = []

    def segment(
        self,
        volumeNode: Any,
        prompts: str | Sequence[str],
        model: str = DEFAULT_MODEL,
        segmentation: Any = None,
        threshold: float | None = None,
        roi: Any = None,
        slices: tuple[int, int] | None = None,
        plane: str | None = None,
        device: str = "auto",
        progress: Callable[[int, int, str], bool] | None = None,
        frames: int | str | Iterable[int] | None = None,
        samples: int | None = None,
        box: Any = None,
        points: Any = None,
        outside: Any = None,
        two_pass: bool = False,
        propagate: bool = False,
        free_text: bool = False,
        modality: str | None = None,
        start: Any = None,
    ) -> Any:
        """Segment what the prompts name and return the segmentation node.

        Each prompt that is found becomes a segment with its name, SNOMED CT code, colour and
        provenance. The answers to all prompts, also to those not found, are in `results`.

        Args:
            volumeNode: scalar or colour volume node, a sequence node, or a sequence's proxy.
            prompts: "liver, right kidney" or a list of prompts.
            model: name, folder or hub id of a checkpoint; loaded once.
            segmentation: segmentation node to add to (its segments stay as they are); None
                makes a new one.
            threshold: probability threshold in (0, 1); None takes the checkpoint's.
            roi: markups ROI node, or x0, x1, y0, y1, z0, z1 in RAS mm.
            slices: first and last + 1 slice along the plane.
            plane: "axial", "coronal" or "sagittal"; None takes the checkpoint's.
            device: "auto", "cpu", "cuda:0", ...
            progress: (done, total, message) -> False cancels.
            frames: frame numbers or "all", for a sequence; all frames of a sequence node, and the
                frame that is shown of a proxy, by default.
            samples: how many candidates to draw, for checkpoints that do; the answer is their mean.
            box: where the structure is, for checkpoints that take boxes: a markups ROI node or six
                numbers as for `roi`.
            points: markups point list on the structure, or a list of (x, y, z) or
                (x, y, z, label) in RAS mm, label 0 for a point beside it; for checkpoints that
                take points.
            outside: a second list, whose points lie beside the structure.
            two_pass: find a box by the text first, then ask again with it.
            propagate: give each slice the box of what was found in the slice before.
            free_text: ask what the vocabulary does not know in the words that were typed.
            modality: "CT", "MR" or "CXR" where the image does not say it, or says it wrongly.
            start: mask (K, J, I) on the volume's voxels to start from, for example of
                ``slicer.util.arrayFromSegmentBinaryLabelmap(node, id, volumeNode)``; checkpoints
                without mask prompts start from the box around it on each slice.

        Returns:
            The vtkMRMLSegmentationNode; for frames, the proxy of a sequence of segmentations.

        Raises:
            TextPromptSegError: with a sentence that says what to do.
            Cancelled: when progress returned False; nothing was written.
        """
        from TextPromptSegLib.prompting.prompts import parse_prompts
        from TextPromptSegMRML.hints import HintNodes
        from TextPromptSegMRML.runs import Request, segment_node

        hints = HintNodes(box, points, outside, two_pass, propagate, start)
        request = Request(
            parse_prompts(prompts, free_text=free_text),
            threshold,
            roi,
            slices,
            plane,
            frames,
            progress,
            samples,
            hints,
            modality,
        )
        run = segment_node(
            volumeNode,
            request,
            lambda: self._predictors.get(model, device),
            segmentation,
            self._saved,
        )
        self.results, self.written = run.results, run.written
        return run.node

    def undo(self) -> bool:
        """Take back the last run that added to an existing segmentation; False if there is none."""
        return self._saved.undo()

    def redo(self) -> bool:
        """Bring back the run that `undo` took back; False if there is none."""
        return self._saved.redo()

    def predictor(self, model: str = DEFAULT_MODEL, device: str = "auto") -> Any:
        """Return the predictor of a checkpoint, loaded once and shared by all logics.

        Raises:
            TextPromptSegError: when a package or the checkpoint is missing.
        """
        return self._predictors.get(model, device)

    def unload(self) -> None:
        """Let go of the loaded checkpoint and its memory."""
        self._predictors.unload()


class TextPromptSegTest(ScriptedLoadableModuleTest):
    """Self test of the module; the scenarios are in Testing/Slicer."""

    def runTest(self) -> None:
        """Run the scenarios that need neither a checkpoint nor the network."""
        folder = os.path.join(os.path.dirname(os.path.dirname(__file__)), "Testing", "Slicer")
        if not os.path.isdir(folder):
            self.skipTest("the scenarios are in the source tree, not in the package")
        suite = unittest.defaultTestLoader.discover(folder, pattern="TextPromptSeg*Test.py")
        outcome = unittest.TextTestRunner(verbosity=2).run(suite)
        self.assertTrue(outcome.wasSuccessful())
