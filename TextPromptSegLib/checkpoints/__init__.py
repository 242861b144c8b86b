"""Checkpoints: folder layout, catalogue, archive, transfer, encoders and licences."""
