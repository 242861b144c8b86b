"""Qt parts of TextPromptSeg: panel sections, the worker's timer, installer, checkpoint manager."""
