"""The Segment Editor effect "Text prompt"; the application loads SegmentEditorEffect.py by path."""
