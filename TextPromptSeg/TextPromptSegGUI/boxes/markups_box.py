"""A selector of markups nodes with a button that makes one and lets the user draw it.

Placing follows Slicer's ``qSlicerMarkupsPlaceWidget``: one active node, one mouse mode.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from ..shared.keys import EscapeKey
from ..shared.links import Links
from ..shared.quiet import quiet

CURVE = "vtkMRMLMarkupsCurveNode"


class MarkupsBox:
    """Choose a markups node, or press Draw: a new node if there is none, and place mode.

    Draw stays pressed while the mouse places; pressed again, with Escape or another mouse mode it
    ends. The node that is chosen is observed, so that a preview follows when it is moved.
    """

    def __init__(
        self,
        on_change: Callable[[], None],
        object_name: str,
        class_name: str,
        base_name: str,
        none: str,
        color: tuple[float, float, float] | None = None,
        scribbles: bool = False,
    ) -> None:
        """Make the widgets.

        Args:
            on_change: called when another node is chosen, or the chosen one is moved.
            object_name: of the selector; the button's name ends with "Draw".
            class_name: "vtkMRMLMarkupsROINode" or "vtkMRMLMarkupsFiducialNode".
            base_name: name of nodes that the button makes.
            none: what the selector shows without a node.
            color: red, green, blue in 0..1 of nodes that the button makes.
            scribbles: also take curves, with a button "Scribble" of its own.
        """
        self._on_change, self._color = on_change, color
        self._class_name, self._base_name = class_name, base_name
        self.selector = slicer.qMRMLNodeComboBox()
        self.selector.objectName = object_name
        self.selector.nodeTypes = [class_name, CURVE] if scribbles else [class_name]
        self.selector.noneEnabled = True
        self.selector.addEnabled = self.selector.removeEnabled = False
        self.selector.noneDisplay = none
        self.draw = qt.QToolButton()
        self.draw.objectName = f"{object_name}Draw"
        self.draw.text = _("Draw")
        self.draw.checkable = True
        self.draw.toolTip = _("Draw in a slice view; press Escape to end.")
        self.widget = qt.QWidget()
        row = qt.QHBoxLayout(self.widget)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.selector, 1)
        row.addWidget(self.draw)
        self.scribble = qt.QToolButton()
        self.scribble.objectName = f"{object_name}Scribble"
        self.scribble.text = _("Scribble")
        self.scribble.checkable = True
        self.scribble.toolTip = _(
            "Draw a line on the structure, click by click; a right click or Escape ends it. The "
            "network gets points along it."
        )
        self.scribble.visible = scribbles
        if scribbles:
            row.addWidget(self.scribble)
        self._links, self._node_links, self._mode_links = Links(), Links(), Links()
        self._escape = EscapeKey(self._escaped)
        self._before: tuple[Any, Any] | None = None  # a node that is drawn anew, and what it held
        self.selector.setMRMLScene(slicer.mrmlScene)
        self._links.connect(self.selector, "currentNodeChanged(vtkMRMLNode*)", self._chosen)
        self._links.connect(self.draw, "clicked(bool)", self._clicked)
        self._links.connect(self.scribble, "clicked(bool)", self._scribble_clicked)

    @property
    def node(self) -> Any:
        """The chosen node, or None."""
        return self.selector.currentNode()

    def set_node(self, node: Any) -> None:
        """Choose a node without telling anybody."""
        if node is not self.node:
            with quiet(self.selector):
                self.selector.setCurrentNode(node)
        self._observe()

    @property
    def drawing(self) -> bool:
        """Whether the mouse places the chosen node now."""
        selection, interaction = _mouse_nodes()
        node = self.node
        return (
            node is not None
            and interaction is not None
            and interaction.GetCurrentInteractionMode() == interaction.Place
            and selection.GetActivePlaceNodeID() == node.GetID()
        )

    def start_drawing(self, class_name: str = "") -> None:
        """Let the next clicks in a view draw the chosen node, or a new one.

        Args:
            class_name: of the node that is wanted, by default what *Draw* makes; where the chosen
                node is of another class a new one is made.
        """
        selection, interaction = _mouse_nodes()
        if interaction is None:
            self._show_state()
            return
        wanted, node = class_name or self._class_name, self.node
        if node is None or not node.IsA(wanted):
            node = self._made(wanted)
        points = bool(node.IsA("vtkMRMLMarkupsFiducialNode"))
        if not points and node.GetNumberOfControlPoints() > 0:
            if _is_drawn(node):
                copy = slicer.mrmlScene.CreateNodeByClass(node.GetClassName())
                copy.UnRegister(None)
                copy.CopyContent(node)
                self._before = (node, copy)
            node.RemoveAllControlPoints()  # a box that is complete takes no more clicks
        slicer.modules.markups.logic().SetActiveList(node)
        interaction.SetPlaceModePersistence(int(points))
        interaction.SetCurrentInteractionMode(interaction.Place)
        self._mode_links.clear()
        self._mode_links.observe(interaction, "ModifiedEvent", self._mode_changed)
        other = selection.ActivePlaceNodeIDChangedEvent
        self._mode_links.observe(selection, other, self._mode_changed)
        self._escape.listen(self.widget.window())
        self._show_state()

    def end_drawing(self) -> None:
        """Give the mouse back, when it places the chosen node."""
        _selection, interaction = _mouse_nodes()
        if self.drawing:
            interaction.SetCurrentInteractionMode(interaction.ViewTransform)
        self._drawing_ended()

    def cleanup(self) -> None:
        """Disconnect and let go of the scene."""
        self.end_drawing()
        self._escape.cleanup()
        self._node_links.clear()
        self._links.clear()
        self.selector.setMRMLScene(None)

    def _made(self, class_name: str) -> Any:
        scene = slicer.mrmlScene
        node = scene.AddNewNodeByClass(class_name, scene.GenerateUniqueName(self._base_name))
        node.CreateDefaultDisplayNodes()
        display = node.GetDisplayNode()
        if display is not None:
            display.SetFillVisibility(False)  # what is in the box is to be seen
            if self._color is not None:
                display.SetSelectedColor(*self._color)
        self.selector.setCurrentNode(node)
        return node

    def _clicked(self, on: bool) -> None:
        if on:
            self.start_drawing()
        else:
            self.end_drawing()

    def _scribble_clicked(self, on: bool) -> None:
        if on:
            self.start_drawing(CURVE)
        else:
            self.end_drawing()

    def _show_state(self) -> None:
        """Keep the button pressed whose kind of node is being drawn."""
        curve = self.node is not None and bool(self.node.IsA(CURVE))
        self.draw.checked = self.drawing and not curve
        self.scribble.checked = self.drawing and curve

    def _escaped(self) -> bool:
        was_drawing = self.drawing
        self.end_drawing()
        return was_drawing

    def _mode_changed(self, _caller: Any, _event: Any) -> None:
        if not self.drawing:
            self._drawing_ended()

    def _drawing_ended(self) -> None:
        self._mode_links.clear()
        self._escape.forget()
        self.draw.checked = self.scribble.checked = False
        before, self._before = self._before, None
        if before is not None and before[0].GetScene() is not None and not _is_drawn(before[0]):
            before[0].CopyContent(before[1])  # given up: what was there is there again

    def _chosen(self, _node: Any) -> None:
        self._observe()
        self._on_change()

    def _observe(self) -> None:
        self._node_links.clear()
        node = self.node
        if node is None:
            return
        markups = slicer.vtkMRMLMarkupsNode
        for event in (
            markups.PointModifiedEvent,
            markups.PointAddedEvent,
            markups.PointRemovedEvent,
            slicer.vtkMRMLTransformableNode.TransformModifiedEvent,
        ):
            self._node_links.observe(node, event, self._moved)

    def _moved(self, _caller: Any, _event: Any) -> None:
        self._on_change()


def _is_drawn(node: Any) -> bool:
    """Whether a box has its size, or a scribble more than one point."""
    if node.IsA("vtkMRMLMarkupsROINode"):
        return bool(node.GetControlPointPlacementComplete())
    return bool(node.GetNumberOfDefinedControlPoints() > 1)


def _mouse_nodes() -> tuple[Any, Any]:
    """Return what the mouse places and its mode: the scene's selection and interaction node."""
    scene = slicer.mrmlScene
    selection = scene.GetNodeByID("vtkMRMLSelectionNodeSingleton")
    interaction = scene.GetNodeByID("vtkMRMLInteractionNodeSingleton")
    return (None, None) if selection is None or interaction is None else (selection, interaction)
