"""The module's panel: one file per section, many images, what a scene remembers."""
