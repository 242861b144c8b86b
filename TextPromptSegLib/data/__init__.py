"""Labelled images: data sets, slices, prompts for training, augmentation."""
