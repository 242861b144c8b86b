"""The Segment Editor effect "Text prompt": what the editor calls, passed on to TextPromptSegGUI.

The application loads this file by path, not as part of a package, so imports are absolute.
https://github.com/Slicer/Slicer/blob/main/Modules/Loadable/Segmentations/EditorEffects/Python/SegmentEditorEffects/AbstractScriptedSegmentEditorEffect.py
"""

from __future__ import annotations

import os
from typing import Any

import qt
from SegmentEditorEffects import AbstractScriptedSegmentEditorEffect
from slicer.i18n import tr as _


class SegmentEditorEffect(AbstractScriptedSegmentEditorEffect):
    """Segment by text. One clone per editor widget; the worker behind it is shared."""

    def __init__(self, scriptedEffect: Any) -> None:
        """Describe the effect."""
        scriptedEffect.name = "Text prompt"
        scriptedEffect.title = _("Text prompt")
        # It may make the first segment, and changes the selected one when there is one. An effect
        # per segment is switched off when Undo takes the selected segment away.
        scriptedEffect.perSegment = False
        scriptedEffect.requireSegments = False
        scriptedEffect.showEffectCursorInSliceView = False
        AbstractScriptedSegmentEditorEffect.__init__(self, scriptedEffect)
        self.controller: Any = None

    def clone(self) -> Any:
        """Return a new effect for another editor widget."""
        import qSlicerSegmentationsEditorEffectsPythonQt as effects

        cloned = effects.qSlicerSegmentEditorScriptedEffect(None)
        cloned.setPythonSource(__file__.replace("\\", "/"))
        return cloned

    def icon(self) -> Any:
        """Return the icon beside this file."""
        path = os.path.join(os.path.dirname(__file__), "SegmentEditorEffect.png")
        return qt.QIcon(path) if os.path.exists(path) else qt.QIcon()

    def helpText(self) -> str:
        """Return what the editor shows above the options."""
        from TextPromptSegGUI.effect.hand_keys import keys_of

        keys = "<br>".join(f"<b>{key}</b>: {does}" for key, does in keys_of())
        text = _(
            "<html>Segment by typing what to segment, for example <i>left kidney, spleen</i>.<br>"
            "<b>Preview</b> shows the current slice, <b>Threshold</b> adjusts it, <b>Apply</b> "
            "changes the selected segment in one undo step; masking options are honoured.<p>"
            "Keys:<br>{keys}<p>"
            "Results are suggestions for research and must be checked.</html>"
        )
        return text.format(keys=keys)

    def setupOptionsFrame(self) -> None:
        """Build the options."""
        from TextPromptSegGUI.effect.controller import EffectController

        self.controller = EffectController(self.scriptedEffect)

    def setMRMLDefaults(self) -> None:
        """Define the parameters that the editor node lacks."""
        from TextPromptSegGUI.effect.options import EffectOptions

        EffectOptions.set_defaults(self.scriptedEffect)

    def updateGUIFromMRML(self) -> None:
        """Bring the widgets in line with the editor node."""
        if self.controller is not None:
            self.controller.options.read_parameters()

    def updateMRMLFromGUI(self) -> None:
        """Bring the editor node in line with the widgets."""
        if self.controller is not None:
            self.controller.options.write_parameters()

    def activate(self) -> None:
        """Start, when the effect is selected."""
        if self.controller is not None:
            self.controller.activate()

    def deactivate(self) -> None:
        """Stop, when another effect is selected or the scene is closed."""
        if self.controller is not None:
            self.controller.deactivate()

    def sourceVolumeNodeChanged(self) -> None:
        """Take notice of another volume."""
        if self.controller is not None:
            self.controller.volume_changed()

    def interactionNodeModified(self, interactionNode: Any) -> None:
        """Stay when the mouse places a box or points; an effect without this is switched off."""

    def processViewNodeEvents(self, callerViewNode: Any, eventId: int, viewWidget: Any) -> None:
        """Follow the slice that is shown."""
        if self.controller is not None:
            self.controller.view_changed(callerViewNode)

    def cleanup(self) -> None:
        """Let go of all connections, so that the effect can be deleted."""
        if self.controller is not None:
            self.controller.cleanup()
            self.controller = None
