"""A classifier out of a pretrained backbone, with its preprocessing inside."""

from keras_fewlabels.models.classifier.classifier import classifier

__all__ = ["classifier"]
