"""Random augmentation, drawn for each image."""

from keras_fewlabels.layers.rand_augment.rand_augment import RandAugment

__all__ = ["RandAugment"]
