"""A selector of markups nodes with a button that makes one and lets the user draw it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from ..shared.links import Links
from ..shared.quiet import quiet


class MarkupsBox:
    """Choose a markups node, or press Draw: a new node if there is none, and place mode.

    The node that is chosen is observed, so that a preview follows when it is moved.
    """

    def __init__(
        self,
        on_change: Callable[[], None],
        object_name: str,
        class_name: str,
        base_name: str,
        none: str,
        color: tuple[float, float, float] | None = None,
    ) -> None:
        """Make the widgets.

        Args:
            on_change: called when another node is chosen, or the chosen one is moved.
            object_name: of the selector; the button's name ends with "Draw".
            class_name: "vtkMRMLMarkupsROINode" or "vtkMRMLMarkupsFiducialNode".
            base_name: name of nodes that the button makes.
            none: what the selector shows without a node.
            color: red, green, blue in 0..1 of nodes that the button makes.
        """
        self._on_change, self._color = on_change, color
        self._class_name, self._base_name = class_name, base_name
        self.selector = slicer.qMRMLNodeComboBox()
        self.selector.objectName = object_name
        self.selector.nodeTypes = [class_name]
        self.selector.noneEnabled = True
        self.selector.addEnabled = self.selector.removeEnabled = False
        self.selector.noneDisplay = none
        self.draw = qt.QToolButton()
        self.draw.objectName = f"{object_name}Draw"
        self.draw.text = _("Draw")
        self.draw.toolTip = _("Draw in a slice view; press Escape to end.")
        self.widget = qt.QWidget()
        row = qt.QHBoxLayout(self.widget)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.selector, 1)
        row.addWidget(self.draw)
        self._links, self._node_links = Links(), Links()
        self.selector.setMRMLScene(slicer.mrmlScene)
        self._links.connect(self.selector, "currentNodeChanged(vtkMRMLNode*)", self._chosen)
        self._links.connect(self.draw, "clicked()", self.start_drawing)

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

    def start_drawing(self) -> None:
        """Make a node if none is chosen, and let the next clicks in a view draw it."""
        node, scene = self.node, slicer.mrmlScene
        if node is None:
            name = scene.GenerateUniqueName(self._base_name)
            node = scene.AddNewNodeByClass(self._class_name, name)
            node.CreateDefaultDisplayNodes()
            display = node.GetDisplayNode()
            if display is not None:
                display.SetFillVisibility(False)  # what is in the box is to be seen
                if self._color is not None:
                    display.SetSelectedColor(*self._color)
            self.selector.setCurrentNode(node)
        selection = scene.GetNodeByID("vtkMRMLSelectionNodeSingleton")
        interaction = scene.GetNodeByID("vtkMRMLInteractionNodeSingleton")
        if selection is None or interaction is None:
            return
        selection.SetReferenceActivePlaceNodeClassName(self._class_name)
        selection.SetActivePlaceNodeID(node.GetID())
        interaction.SetPlaceModePersistence(int(node.IsA("vtkMRMLMarkupsFiducialNode")))
        interaction.SetCurrentInteractionMode(interaction.Place)

    def cleanup(self) -> None:
        """Disconnect and let go of the scene."""
        self._node_links.clear()
        self._links.clear()
        self.selector.setMRMLScene(None)

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
