"""Overlays of answers on images."""
