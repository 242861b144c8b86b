"""Checkpoints: their folders, the catalogue, import and download, licences."""
