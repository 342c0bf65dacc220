"""Image ops without state, on which `layers.RandAugment` is built.

They take and return *levels*: uint8 tensors of images, in which 0 is black and
255 is white. The folder is internal: import from its files.
"""

__all__ = []
