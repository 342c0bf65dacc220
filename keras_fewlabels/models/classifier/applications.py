"""The networks of `keras.applications`, and how each was trained."""

import difflib

import keras
import numpy as np

from keras_fewlabels.foundation import flatten_layers

# Names of layers that only networks of one family have, and the mode in which
# that family preprocesses. The others scale their input in a layer, and none
# is left out: a test builds each network.
_FAMILIES = [
    ({"conv1_bn", "conv_dw_1"}, "tf"),  # MobileNet
    ({"bn_Conv1", "expanded_conv_project"}, "tf"),  # MobileNetV2
    ({"conv_bn", "expanded_conv_depthwise_bn"}, "tf"),  # MobileNetV3
    ({"conv1_pad", "conv1_bn", "conv2_block1_1_conv"}, "caffe"),  # ResNet
    ({"conv1_pad", "conv2_block1_preact_bn"}, "tf"),  # ResNetV2
    ({"block1_conv2", "block1_pool", "block2_conv1"}, "caffe"),  # VGG
    ({"block1_conv1_bn", "block2_sepconv1"}, "tf"),  # Xception
    ({"conv1_bn", "conv2_block1_0_bn", "conv2_block1_concat"}, "torch"),
    ({"mixed0", "mixed1"}, "tf"),  # InceptionV3
    ({"mixed_5b", "block35_1_mixed"}, "tf"),  # InceptionResNetV2
    ({"stem_conv1", "stem_bn1", "reduction_conv_1_stem_1"}, "tf"),  # NASNet
]
# The value that the pixel 1 becomes, rounded, and the mode.
_MODE_OF_ONE = {-1: "tf", -2: "torch", -103: "caffe", 1: "none"}


def application_names():
    """Returns the names of the networks of `keras.applications`, sorted."""
    return sorted(
        name
        for name in dir(keras.applications)
        if name[0].isupper() and callable(getattr(keras.applications, name))
    )


def application_name(backbone):
    """Returns the name of a network as `keras.applications` spells it.

    Args:
        backbone: Name in any case, also with `_`, `-` and spaces; a function
            of `keras.applications`; or any other object.

    Returns:
        String, or `None` for an object that is neither.

    Raises:
        ValueError: If a string is the name of no network.
    """
    names = application_names()
    if not isinstance(backbone, str):
        for name in names:
            if getattr(keras.applications, name) is backbone:
                return name
        return None
    plain = {_plain(name): name for name in names}
    if _plain(backbone) in plain:
        return plain[_plain(backbone)]
    near = difflib.get_close_matches(_plain(backbone), plain, n=1)
    hint = f" Did you mean {plain[near[0]]!r}?" if near else ""
    raise ValueError(
        f"`backbone` must be the name of a network of `keras.applications`, "
        f"or a preset of keras-hub, if it is installed.{hint} The networks "
        f"are {', '.join(names)}. "
        f"Received: backbone={backbone!r}"
    )


def build_application(name, image_size, weights, pooling="auto"):
    """Returns a network without its top, for images of three channels.

    It gives a feature map; or a vector, if it was trained with a normalization
    after the pooling. Without a top, Keras would normalize first.
    """
    build = getattr(keras.applications, name)
    pools = name.startswith("ConvNeXt") and pooling in ("auto", "avg")
    return build(
        include_top=False,
        weights=weights,
        input_shape=(*image_size, 3),
        pooling="avg" if pools else None,
    )


def mode_of_application(backbone):
    """Returns the mode in which the family of a network preprocesses.

    Args:
        backbone: Keras model that does not scale its input.

    Returns:
        `"tf"`, `"torch"` or `"caffe"`; `None` if the model is not a network
        of `keras.applications`, or the first layers of one.
    """
    if type(backbone).__module__.partition(".")[0] != "keras":
        # Backbones of keras-cv have layers of the same names.
        return None
    names = {layer.name for layer in flatten_layers(backbone)}
    for marks, mode in _FAMILIES:
        if marks <= names:
            return mode
    return None


def mode_of_function(function):
    """Returns the mode of a `preprocess_input` of `keras.applications`.

    Returns:
        `"tf"`, `"torch"` or `"caffe"`; `"none"` for a function that returns
        its images; `None` for any other object.
    """
    module = getattr(function, "__module__", None) or ""
    if getattr(function, "__name__", None) != "preprocess_input":
        return None
    if not module.startswith("keras.src.applications."):
        return None
    value = function(np.ones((1, 1, 1, 3), "float32"))
    return _MODE_OF_ONE[round(float(value.ravel()[0]))]


def _plain(name):
    return "".join(name.lower().split()).replace("_", "").replace("-", "")
