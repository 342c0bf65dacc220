"""Checks of images, labels and other arguments."""
