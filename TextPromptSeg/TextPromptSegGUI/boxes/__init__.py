"""Widgets that effect and panel share."""
