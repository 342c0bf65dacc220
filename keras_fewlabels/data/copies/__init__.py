"""Copies of images that were encoded again, resized or cropped."""

from keras_fewlabels.data.copies.find_copies import Copy, find_copies

__all__ = ["Copy", "find_copies"]
