"""Structures that are asked for by their parts, where no checkpoint knows them as one."""

from __future__ import annotations

from collections.abc import Mapping

WHOLES: Mapping[str, tuple[str, ...]] = {
    "lung": ("upper lung lobe", "lower lung lobe", "right middle lung lobe"),
    "heart": (
        "myocardium",
        "left ventricle of heart",
        "right ventricle of heart",
        "left atrium of heart",
        "right atrium of heart",
    ),
    "heart chambers": (
        "left ventricle of heart",
        "right ventricle of heart",
        "left atrium of heart",
        "right atrium of heart",
    ),
    "aorta": ("thoracic aorta", "abdominal aorta"),
    "thoracic aorta": ("ascending aorta", "aortic arch", "descending aorta"),
    "portal and splenic vein": ("portal vein", "splenic vein"),
    "liver": ("left liver lobe", "right liver lobe"),
    "left liver lobe": ("liver segment 2", "liver segment 3", "liver segment 4"),
    "right liver lobe": tuple(f"liver segment {n}" for n in range(5, 9)),
    "pancreas": ("head of pancreas", "body of pancreas", "tail of pancreas"),
    "bowel": ("small bowel", "large bowel"),
    "small bowel": ("duodenum", "jejunum", "ileum"),
    "large bowel": ("cecum", "colon", "rectum"),
    "colon": ("ascending colon", "transverse colon", "descending colon", "sigmoid colon"),
    "cervical spine": tuple(f"C{n} vertebra" for n in range(1, 8)),
    "thoracic spine": tuple(f"T{n} vertebra" for n in range(1, 13)),
    "lumbar spine": tuple(f"L{n} vertebra" for n in range(1, 6)),
    "ribs": tuple(f"rib {n}" for n in range(1, 13)),
    "hippocampus": ("anterior hippocampus", "posterior hippocampus"),
    "pharynx": ("nasopharynx", "oropharynx", "hypopharynx"),
    "cerebellum": ("cerebellar white matter", "cerebellar cortex"),
    "ventricles of brain": ("lateral ventricle", "third ventricle", "fourth ventricle"),
    "cerebral hemisphere": ("frontal lobe", "parietal lobe", "temporal lobe", "occipital lobe"),
}
"""Parts that together are the whole; the vocabulary's ``parts`` also lists what lies inside."""
