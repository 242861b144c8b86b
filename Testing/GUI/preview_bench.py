"""What the preview asks the worker for, and what it draws."""

from __future__ import annotations

import numpy as np


class Count:
    """Counts the segmentations that the worker is asked for."""

    def __init__(self, session, monkeypatch) -> None:
        self.requests: list[dict] = []
        segment = session.client.segment

        def counted(volume, prompts, **options):
            self.requests.append(options)
            return segment(volume, prompts, **options)

        monkeypatch.setattr(session.client, "segment", counted)

    def __len__(self) -> int:
        return len(self.requests)


def drawing(bench):
    return bench.controller.preview.drawing


def drawn(bench) -> np.ndarray:
    """Return what the preview shows, (K, J, I) in the volume's lattice."""
    node = drawing(bench).node
    total = np.zeros(bench.slicer.util.arrayFromVolume(bench.volume).shape, np.uint8)
    if node is None:
        return total
    for segment_id in node.GetSegmentation().GetSegmentIDs():
        image = node.GetSegmentation().GetSegment(segment_id).GetRepresentation("Binary labelmap")
        from TextPromptSegMRML.geometry import image_array, image_start

        i, j, k = image_start(image)
        part = image_array(image)
        target = total[k : k + part.shape[0], j : j + part.shape[1], i : i + part.shape[2]]
        target |= part.astype(np.uint8)
    return total
