import keras

from keras_fewlabels.layers import RandAugment
from keras_fewlabels.layers.horizontal_flip import HorizontalFlip
from keras_fewlabels.models.branch_droppers import (
    branch_droppers,
    takes_one_tensor,
)

# Layers of Keras, beside those whose names start with "Random".
_NAMES = {
    *{"ActivityRegularization", "AlphaDropout", "AugMix", "CutMix", "Dropout"},
    *{"Equalization", "GaussianDropout", "GaussianNoise", "MixUp"},
    *{"RandAugment", "Solarization", "SpatialDropout1D", "SpatialDropout2D"},
    *{"SpatialDropout3D"},
}
# In some versions of Keras it crops in the middle when a model predicts.
_ALSO_IN_INFERENCE = {"RandomCrop"}


def is_training_only(operation):
    """Whether a layer hands on its input unchanged when a model predicts.

    Args:
        operation: A layer or another operation of a graph.

    Returns:
        Boolean. `True` for what augments images, adds noise or drops at
        random; `False` for layers of an unknown kind, and for those of
        keras-cv that augment, which do so in inference as well.
    """
    if not isinstance(operation, keras.Layer):
        return False
    package = type(operation).__module__.partition(".")[0]
    name = type(operation).__name__
    if package == "keras_fewlabels":
        return isinstance(operation, (HorizontalFlip, RandAugment))
    if package == "keras" and (name in _NAMES or name.startswith("Random")):
        return name not in _ALSO_IN_INFERENCE
    # A `DropPath` or the like, of whatever package.
    is_dropper = operation in branch_droppers(operation)
    return is_dropper and takes_one_tensor(operation)
