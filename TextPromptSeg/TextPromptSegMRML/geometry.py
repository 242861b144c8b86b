"""Matrices, transforms and resampling between volume nodes, masks and segmentations."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util import numpy_support

# Two lattices count as the same when no voxel of one is further than this from a voxel of the
# other, in voxels: what is left of a matrix after a trip through text or a product of transforms.
_LATTICE_TOLERANCE = 1e-3


def to_numpy(matrix: Any) -> np.ndarray:
    """Return a vtkMatrix4x4 as a (4, 4) float64 array."""
    return np.array([[matrix.GetElement(r, c) for c in range(4)] for r in range(4)])


def to_vtk(matrix: np.ndarray) -> Any:
    """Return a (4, 4) array as a vtkMatrix4x4."""
    result = vtk.vtkMatrix4x4()
    result.DeepCopy(np.asarray(matrix, dtype=np.float64).ravel().tolist())
    return result


def ijk_to_ras(volume_node: Any) -> np.ndarray:
    """Return the node's own voxel-to-RAS matrix, (4, 4), mm, without its parent transform."""
    matrix = vtk.vtkMatrix4x4()
    volume_node.GetIJKToRASMatrix(matrix)
    return to_numpy(matrix)


def image_to_world(image: Any) -> np.ndarray:
    """Return the voxel-to-world matrix of a vtkOrientedImageData, (4, 4), mm."""
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    return to_numpy(matrix)


def linear_to_world(node: Any) -> np.ndarray | None:
    """Return a node's parent transform to the world, (4, 4), mm; None when it is non-linear."""
    parent = node.GetParentTransformNode()
    if parent is None:
        return np.eye(4)
    if not parent.IsTransformToWorldLinear():
        return None
    matrix = vtk.vtkMatrix4x4()
    parent.GetMatrixTransformToWorld(matrix)
    return to_numpy(matrix)


def transform_between(source_node: Any, target_node: Any) -> Any:
    """Return the vtkGeneralTransform from one node to another; None stands for the world."""
    general = vtk.vtkGeneralTransform()
    source = None if source_node is None else source_node.GetParentTransformNode()
    target = None if target_node is None else target_node.GetParentTransformNode()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(source, target, general)
    return general


def matrix_between(source_node: Any, target_node: Any) -> np.ndarray | None:
    """Return the same as a (4, 4) matrix; None when a non-linear transform is on the way."""
    source = None if source_node is None else source_node.GetParentTransformNode()
    target = None if target_node is None else target_node.GetParentTransformNode()
    if not slicer.vtkMRMLTransformNode.IsGeneralTransformLinear(
        transform_between(source_node, target_node)
    ):
        return None
    matrix = vtk.vtkMatrix4x4()
    slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(source, target, matrix)
    return to_numpy(matrix)


def oriented_image(array: np.ndarray, matrix: np.ndarray, start: Any = (0, 0, 0)) -> Any:
    """Copy an array into a vtkOrientedImageData.

    Args:
        array: (K, J, I) voxels.
        matrix: (4, 4) voxel-to-world, mm.
        start: (i, j, k) index of the first voxel.
    """
    k, j, i = array.shape
    image = slicer.vtkOrientedImageData()
    image.SetExtent(
        *(v for s, n in zip(start, (i, j, k), strict=True) for v in (int(s), int(s) + n - 1))
    )
    scalars = numpy_support.numpy_to_vtk(np.ascontiguousarray(array).ravel(), deep=True)
    image.GetPointData().SetScalars(scalars)
    image.SetGeometryFromImageToWorldMatrix(to_vtk(matrix))
    return image


def image_array(image: Any) -> np.ndarray:
    """Return the voxels of a vtkImageData as a (K, J, I) view; writing writes into the image."""
    scalars = image.GetPointData().GetScalars()
    return numpy_support.vtk_to_numpy(scalars).reshape(image.GetDimensions()[::-1])


def image_start(image: Any) -> tuple[int, int, int]:
    """Return the (i, j, k) index of the first voxel of a vtkImageData."""
    extent = image.GetExtent()
    return extent[0], extent[2], extent[4]


def is_empty_image(image: Any) -> bool:
    """Say whether an image has no voxels at all."""
    extent = image.GetExtent()
    return any(extent[2 * axis] > extent[2 * axis + 1] for axis in range(3))


def resample_mask(mask: np.ndarray, matrix: np.ndarray, reference: Any, to_reference: Any) -> Any:
    """Bring a mask into the lattice of a reference image, nearest neighbour.

    Args:
        mask: (K, J, I) uint8.
        matrix: (4, 4) voxel-to-world of the mask, mm.
        reference: vtkOrientedImageData with the wanted lattice and extent.
        to_reference: vtkAbstractTransform from the mask's coordinates to the reference's, or None.

    Returns:
        (K', J', I') uint8 array over the extent of the reference. Where the two lattices are the
        same (up to a whole-voxel shift) voxels are copied, so nothing is lost to rounding.
    """
    dimensions = reference.GetDimensions()[::-1]
    result = np.zeros(dimensions, np.uint8)
    shift = _whole_voxel_shift(mask.shape, matrix, reference, to_reference)
    if shift is not None:
        _paste(mask, shift, result, image_start(reference))
        return result
    output = slicer.vtkOrientedImageData()
    slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(
        oriented_image(mask.astype(np.uint8, copy=False), matrix),
        reference,
        output,
        False,
        False,
        to_reference,
    )
    if not is_empty_image(output):
        _paste(image_array(output), image_start(output), result, image_start(reference))
    return result


def _whole_voxel_shift(
    shape: tuple[int, ...], matrix: np.ndarray, reference: Any, to_reference: Any
) -> tuple[int, int, int] | None:
    """Return where mask voxel (0, 0, 0) lies in a reference of the same lattice, else None."""
    between = np.eye(4)
    if to_reference is not None:
        if not slicer.vtkMRMLTransformNode.IsGeneralTransformLinear(to_reference):
            return None
        linear = vtk.vtkTransform()
        slicer.vtkMRMLTransformNode.IsGeneralTransformLinear(to_reference, linear)
        between = to_numpy(linear.GetMatrix())
    index = np.linalg.inv(image_to_world(reference)) @ between @ matrix
    corners = np.array(
        [
            [i, j, k, 1]
            for i in (0, shape[2] - 1)
            for j in (0, shape[1] - 1)
            for k in (0, shape[0] - 1)
        ],
        dtype=np.float64,
    )
    shift = np.round(index[:3, 3])
    error = (corners @ index.T)[:, :3] - (corners[:, :3] + shift)
    if np.abs(error).max() > _LATTICE_TOLERANCE:
        return None
    return int(shift[0]), int(shift[1]), int(shift[2])


def _paste(source: np.ndarray, at: Any, target: np.ndarray, origin: Any) -> None:
    """Copy the overlap of two boxes; `at` and `origin` are (i, j, k) of their first voxels."""
    source_slices, target_slices = [], []
    for axis in range(3):
        offset = int(at[2 - axis]) - int(origin[2 - axis])
        first, last = max(offset, 0), min(offset + source.shape[axis], target.shape[axis])
        if first >= last:
            return
        target_slices.append(slice(first, last))
        source_slices.append(slice(first - offset, last - offset))
    target[tuple(target_slices)] = source[tuple(source_slices)]


def hardened(array: np.ndarray, volume_node: Any) -> tuple[np.ndarray, np.ndarray]:
    """Resample a volume through its non-linear parent transform into world coordinates.

    The lattice keeps the node's axes and spacing and grows or shrinks to what the transform
    covers; linear interpolation, the smallest value outside. The node is not touched.

    Args:
        array: (K, J, I) scalar voxels.
        volume_node: the node whose parent transform is applied.

    Returns:
        The (K', J', I') array and its (4, 4) voxel-to-world matrix, mm.

    Raises:
        InputError: when the transform blows the volume up beyond eight times its voxels.
    """
    from TextPromptSegLib.outcome import InputError

    matrix = ijk_to_ras(volume_node)
    transform = transform_between(volume_node, None)
    lower, upper = _covered_box(array.shape, matrix, transform)
    size = (upper - lower + 1).astype(int)
    if not np.all(np.isfinite(size)) or np.prod(size.astype(float)) > 8.0 * array.size + 1e4:
        raise InputError(
            f"The transform of the volume '{volume_node.GetName()}' stretches it too far; "
            "harden or correct the transform first."
        )
    world = matrix.copy()
    world[:3, 3] = matrix[:3, :3] @ lower + matrix[:3, 3]
    reference = slicer.vtkOrientedImageData()
    reference.SetExtent(0, int(size[0]) - 1, 0, int(size[1]) - 1, 0, int(size[2]) - 1)
    reference.SetGeometryFromImageToWorldMatrix(to_vtk(world))
    output = slicer.vtkOrientedImageData()
    finite = array[np.isfinite(array)] if array.dtype.kind == "f" else array
    background = float(finite.min()) if finite.size else 0.0
    slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(
        oriented_image(array, matrix), reference, output, True, False, transform, background
    )
    result = np.full(tuple(size[::-1]), background, array.dtype)
    if not is_empty_image(output):
        _paste(image_array(output), image_start(output), result, (0, 0, 0))
    return result, world


def _covered_box(
    shape: tuple[int, ...], matrix: np.ndarray, transform: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and upper (i, j, k) that the transformed volume reaches, whole voxels."""
    axes = [np.linspace(-0.5, n - 0.5, 13) for n in shape[::-1]]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    points = vtk.vtkPoints()
    points.SetDataTypeToDouble()
    points.SetData(numpy_support.numpy_to_vtk(grid @ matrix[:3, :3].T + matrix[:3, 3], deep=True))
    moved = vtk.vtkPoints()
    moved.SetDataTypeToDouble()
    transform.TransformPoints(points, moved)
    world = numpy_support.vtk_to_numpy(moved.GetData())
    inverse = np.linalg.inv(matrix)
    index = world @ inverse[:3, :3].T + inverse[:3, 3]
    return np.floor(index.min(axis=0) + 0.5), np.ceil(index.max(axis=0) - 0.5)
