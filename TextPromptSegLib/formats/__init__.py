"""Files in and out: images to `Volume`, results to segmentation files."""
