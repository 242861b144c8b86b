"""The Segment Editor effect "Text prompt": its options, its live preview, one run."""
