"""Volume nodes of MRML as `Volume`: voxels, true place in the patient, modality."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import slicer
from vtk.util import numpy_support

from .geometry import hardened, ijk_to_ras, linear_to_world

if TYPE_CHECKING:
    from TextPromptSegLib.image.volume import Volume

# https://www.itu.int/rec/R-REC-BT.601: the weights that ITK and SimpleITK readers of pictures use.
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)

_MODALITIES = {
    "CT": "CT",
    "MR": "MR",
    "CR": "CXR",
    "DX": "CXR",
    "RF": "CXR",
    "RG": "CXR",
}

# "CTChest", "CT-MONAI", "MRHead", "T2 MR" name the modality; "contrast", "MRI" as part of a longer
# word or "CTV" (a target volume of radiotherapy) do not.
_NAME_HINTS = (
    (re.compile(r"(?<![A-Za-z])(?:CTA?|HRCT|CBCT)(?![a-z]|V(?![A-Z]))"), "CT"),
    (re.compile(r"(?<![A-Za-z])(?:MRI?|MRA|FLAIR|T1w?|T2w?|DWI)(?![a-z])"), "MR"),
    (re.compile(r"(?<![A-Za-z])(?:CXR)(?![a-z])"), "CXR"),
)


def volume_from_node(node: Any, frame: int | None = None) -> Volume:
    """Return a volume node, or one frame of a sequence, as a `Volume` in world coordinates.

    Voxels are shared with the node where nothing has to be computed (read only); a linear parent
    transform goes into the matrix, so that mask voxels stay the node's voxels; a volume under a
    non-linear transform is resampled into a copy in the world (``meta["hardened"]``).

    Args:
        node: a scalar or colour (vector) volume node, a sequence of such nodes, or the volume that
            shows a sequence (its proxy).
        frame: number of the frame, from 0, of a sequence or of the sequence behind a proxy; None
            takes the first frame of a sequence and what the proxy shows now.

    Returns:
        Volume with array (K, J, I); NaN and Inf are left for the intensity step.

    Raises:
        InputError: when the node is no image, is empty, or holds labels, vectors or tensors.
    """
    from TextPromptSegLib.image.volume import Volume
    from TextPromptSegLib.outcome import InputError

    if node is None:
        raise InputError("No volume is selected; choose one first.")
    data, owner = _frame_node(node, frame)
    _check_class(data, InputError)
    name = owner.GetName() or data.GetName() or ""
    array = _voxels(data, name, InputError)
    meta: dict[str, Any] = {"node": owner.GetID() or "", "geometry": "file"}
    if frame is not None or owner.IsA("vtkMRMLSequenceNode"):
        meta["frame"] = int(frame or 0)
    parent = linear_to_world(owner) if hasattr(owner, "GetParentTransformNode") else np.eye(4)
    if parent is None:
        # The frame of a sequence has no parent of its own; the proxy that shows it has.
        if data is not owner:
            array, matrix = _harden_frame(array, data, owner)
        else:
            array, matrix = hardened(array, data)
        meta["hardened"] = True
    else:
        matrix = parent @ ijk_to_ras(data)
    modality = modality_of(owner, data)
    if modality is None and (named := named_modality(owner, data)):
        meta["dicom_modality"] = named
    if modality == "CXR" and _shown_inverted(owner):
        # MONOCHROME1: Slicer keeps the stored values and inverts the display instead.
        array = _inverted(array)
        meta["inverted"] = True
    array = array.view()
    array.flags.writeable = False
    return Volume(array, matrix, modality, name, meta)


def modality_of(*nodes: Any) -> str | None:
    """Return "CT", "MR" or "CXR" from what the nodes say of themselves, None when they do not.

    Asked in this order: DICOM attributes of the node, Subject Hierarchy, the unit of the voxels
    (Hounsfield units), the name.
    """
    named = named_modality(*nodes)
    if named:
        return _MODALITIES.get(named)
    if any(_in_hounsfield(node) for node in nodes):
        return "CT"
    for node in nodes:
        name = node.GetName() or ""
        found = {modality for pattern, modality in _NAME_HINTS if pattern.search(name)}
        if len(found) == 1:
            return found.pop()
    return None


def named_modality(*nodes: Any) -> str:
    """Return the DICOM modality that nodes or their place in Subject Hierarchy name, "" if none."""
    for node in nodes:
        for text in (_attribute(node), _hierarchy_modality(node)):
            named = (text or "").strip().upper()
            if named:
                return named
    return ""


def sequence_of(node: Any) -> tuple[Any, Any]:
    """Return the sequence node behind a node and the browser that shows it; (None, None) if none.

    Args:
        node: a sequence node, or any node that may be the proxy of one.
    """
    logic = slicer.modules.sequences.logic() if hasattr(slicer, "modules") else None
    if node.IsA("vtkMRMLSequenceNode"):
        return node, None if logic is None else logic.GetFirstBrowserNodeForSequenceNode(node)
    browser = None if logic is None else logic.GetFirstBrowserNodeForProxyNode(node)
    return (None, None) if browser is None else (browser.GetSequenceNode(node), browser)


def frame_node(node: Any, frame: int) -> Any:
    """Return the data node of one frame of a sequence, or of the sequence behind a proxy.

    Raises:
        InputError: when there is no sequence or no such frame.
    """
    from TextPromptSegLib.outcome import InputError

    sequence, _ = sequence_of(node)
    if sequence is None:
        raise InputError(f"'{node.GetName()}' is one volume, not a sequence; leave out the frames.")
    count = sequence.GetNumberOfDataNodes()
    if not 0 <= frame < count:
        raise InputError(
            f"The sequence '{sequence.GetName()}' has {count} frames, numbered from 0; "
            f"there is no frame {frame}."
        )
    return sequence.GetNthDataNode(frame)


def _frame_node(node: Any, frame: int | None) -> tuple[Any, Any]:
    """Return the node with the voxels, and the node that has the name and the parent transform."""
    if not node.IsA("vtkMRMLSequenceNode"):
        return (node, node) if frame is None else (frame_node(node, frame), node)
    data = frame_node(node, 0 if frame is None else frame)
    _, browser = sequence_of(node)
    proxy = None if browser is None else browser.GetProxyNode(node)
    return data, data if proxy is None else proxy


def _check_class(node: Any, error: type[Exception]) -> None:
    name = node.GetName()
    if node.IsA("vtkMRMLLabelMapVolumeNode"):
        raise error(
            f"'{name}' is a label map, not an image; choose the image it was drawn on, or import "
            "the label map into a segmentation."
        )
    if node.IsA("vtkMRMLDiffusionWeightedVolumeNode") or node.IsA("vtkMRMLMultiVolumeNode"):
        raise error(f"'{name}' holds many images in one; extract one as a scalar volume first.")
    if node.IsA("vtkMRMLDiffusionTensorVolumeNode"):
        raise error(f"'{name}' holds tensors; compute a scalar volume from it first.")
    if not node.IsA("vtkMRMLScalarVolumeNode"):
        raise error(f"'{name}' is no image volume; choose a scalar or colour volume.")


def _voxels(node: Any, name: str, error: type[Exception]) -> np.ndarray:
    """Return (K, J, I) voxels: the node's own memory for one component, luminance for colour."""
    image = node.GetImageData()
    scalars = None if image is None else image.GetPointData().GetScalars()
    if scalars is None or scalars.GetNumberOfTuples() == 0:
        raise error(f"The volume '{name}' holds no voxels; load its image first.")
    components = scalars.GetNumberOfComponents()
    values = numpy_support.vtk_to_numpy(scalars)
    shape = image.GetDimensions()[::-1]
    if components == 1:
        return values.reshape(shape)
    if components not in (3, 4):
        raise error(
            f"The volume '{name}' has {components} values per voxel; extract one of them as a "
            "scalar volume first."
        )
    # The fourth value is opacity, which says nothing about the tissue.
    return (values[:, :3].astype(np.float32) @ _LUMINANCE).reshape(shape)


def _harden_frame(array: np.ndarray, data: Any, owner: Any) -> tuple[np.ndarray, np.ndarray]:
    """Harden one frame under the proxy's transform, through a node that never joins the scene."""
    holder = slicer.vtkMRMLScalarVolumeNode()
    holder.SetScene(owner.GetScene())
    holder.SetName(owner.GetName())
    holder.CopyOrientation(data)
    holder.SetAndObserveTransformNodeID(owner.GetTransformNodeID())
    return hardened(array, holder)


def _attribute(node: Any) -> str | None:
    """Return the modality that the node's own attributes or its DICOM files name."""
    for key in ("DICOM.Modality", "Modality"):
        if node.GetAttribute(key):
            return node.GetAttribute(key)
    uids = (node.GetAttribute("DICOM.instanceUIDs") or "").split()
    database = getattr(slicer, "dicomDatabase", None)
    if uids and database is not None:
        return database.instanceValue(uids[0], "0008,0060")
    return None


def _hierarchy_modality(node: Any) -> str | None:
    """Return the DICOM modality of the node's item in Subject Hierarchy, or of a parent's."""
    scene = node.GetScene()
    tree = (
        None if scene is None else slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    )
    if tree is None:
        return None
    key = slicer.vtkMRMLSubjectHierarchyConstants.GetDICOMSeriesModalityAttributeName()
    item = tree.GetItemByDataNode(node)
    while item and item != tree.GetSceneItemID():
        if tree.HasItemAttribute(item, key):
            return tree.GetItemAttribute(item, key)
        item = tree.GetItemParent(item)
    return None


def _in_hounsfield(node: Any) -> bool:
    units = node.GetVoxelValueUnits() if hasattr(node, "GetVoxelValueUnits") else None
    return units is not None and units.GetCodeValue() in ("[hnsf'U]", "HU")


def _shown_inverted(node: Any) -> bool:
    display = node.GetDisplayNode() if hasattr(node, "GetDisplayNode") else None
    return "InvertedGrey" in ((display.GetColorNodeID() or "") if display is not None else "")


def _inverted(array: np.ndarray) -> np.ndarray:
    values = array.astype(np.float32)
    finite = values[np.isfinite(values)]
    return values if finite.size == 0 else (finite.max() + finite.min()) - values
