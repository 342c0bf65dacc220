import keras

from keras_fewlabels.foundation import (
    check_choice,
    check_fraction,
    check_int,
    check_names,
    check_type,
    check_value_range,
    graph_of,
    input_shape_of,
    nodes_in_order,
)
from keras_fewlabels.models.classifier.applications import (
    application_name,
    build_application,
)
from keras_fewlabels.models.classifier.pooling import POOLINGS, pool
from keras_fewlabels.models.classifier.preprocessing import (
    resolve_preprocessing,
)

_NUM_CHANNELS = {"rgb": 3, "grayscale": 1}


def classifier(
    backbone,
    classes,
    image_size,
    weights="imagenet",
    *,
    preprocessing=None,
    pooling="auto",
    dropout=0.2,
    activation="softmax",
    value_range=(0, 255),
    color_mode="rgb",
    name=None,
):
    """Returns a classifier of images out of a backbone, ready to compile.

    The model takes images as they come out of a file, with values from 0 to
    255. Inside are the preprocessing that the backbone was trained with, the
    backbone itself as one layer, pooling, dropout and a new `Dense` layer for
    your classes. Each family of networks needs another preprocessing, and a
    network that gets a wrong one learns, but worse, without an error.

    All layers that are added are layers of Keras: `keras.saving.load_model`
    loads the saved model where `keras_fewlabels` is not installed.

    Args:
        backbone: One of these:

            - The name of a network of `keras.applications`, such as
              `"MobileNetV2"` or `"efficientnet_b0"`.
            - A built Keras model that turns images of shape
              `(batch, height, width, channels)` into features. It becomes a
              part of the classifier and is not copied.
        classes: Int, the number of classes, 2 or more. Or the list of their
            names, which is only counted.
        image_size: Int, or pair of ints `(height, width)`, of the images.
        weights: Where the weights of a named network come from:
            `"imagenet"`, the path of a file of weights without the top, or
            `None` for random ones. A backbone that is a model keeps its own.
        preprocessing: How to turn pixels from 0 to 255 into the values that
            the backbone was trained on. A model of `keras.applications` and
            a model that begins with a `Rescaling` or `Normalization` need
            none. Any other model needs one of these:

            - A pair `(scale, offset)`, as for `keras.layers.Rescaling`, of
              numbers or of a number per channel.
            - `"tf"` (values from -1 to 1), `"torch"` (mean and deviation of
              ImageNet) or `"caffe"` (BGR without the mean of ImageNet), the
              modes of `keras.applications.imagenet_utils.preprocess_input`.
            - A function `preprocess_input` of `keras.applications`.
            - A Keras layer.
            - `"none"`, if the backbone takes pixels as they are.
        pooling: `"avg"` or `"max"` over a feature map or the patches of a
            transformer, or `"token"` for the first token of a transformer.
            `"auto"` is the average. Features that are a vector already stay
            as they are.
        dropout: Float in `[0, 1)`, the rate of dropout in front of the head.
        activation: Activation of the head. With `None` it gives logits, and
            the loss needs `from_logits=True`.
        value_range: Pair of numbers, the values of black and white in the
            images.
        color_mode: `"rgb"`, or `"grayscale"` for images of one channel, which
            is repeated if the backbone takes three.
        name: Optional string, the name of the model.

    Returns:
        A functional `keras.Model` from images of shape
        `(batch, height, width, channels)`, float or uint8, to scores of shape
        `(batch, num_classes)` in float32. It is not compiled, and all of its
        weights train. Its layer `"predictions"` is the head.

    Raises:
        ValueError: If a name is not known, the preprocessing of a backbone is
            not known and not passed, a backbone ends with a classifier or does
            not take images of this size, or another argument is wrong.

    Example:

    >>> model = keras_fewlabels.models.classifier(
    ...     "MobileNetV2", classes=5, image_size=32, weights=None
    ... )
    >>> [layer.name for layer in model.layers]
    ['images', 'preprocessing', 'mobilenetv2_1.00_32', 'pooling', 'dropout',
     'predictions']
    >>> photos = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3))
    >>> model.predict(photos, verbose=0).shape
    (2, 5)
    """
    num_classes = _num_classes(classes)
    image_size = _checked_image_size(image_size)
    check_choice(pooling, "pooling", POOLINGS)
    check_fraction(dropout, "dropout")
    check_value_range(value_range)
    check_choice(color_mode, "color_mode", tuple(_NUM_CHANNELS))
    check_type(name, "name", str, "a string", optional=True)
    backbone = _backbone(backbone, image_size, weights)
    images = keras.Input(
        (*image_size, _NUM_CHANNELS[color_mode]), name="images"
    )
    _check_input(backbone, images.shape)
    preprocess = resolve_preprocessing(preprocessing, backbone)
    pixels = _pixels(images, value_range, input_shape_of(backbone))
    features = pool(backbone(preprocess(pixels)), pooling, backbone)
    if dropout:
        features = keras.layers.Dropout(dropout, name="dropout")(features)
    # In mixed precision the scores have all digits.
    head = keras.layers.Dense(
        num_classes, activation=activation, dtype="float32", name="predictions"
    )
    scores = head(features)
    return keras.Model(
        images, scores, name=name or f"{backbone.name}_classifier"
    )


def _num_classes(classes):
    if isinstance(classes, list | tuple):
        classes = len(check_names(classes, "classes"))
    check_int(classes, "classes", 2, hint="Pass 2 for yes or no")
    return int(classes)


def _checked_image_size(image_size):
    sides = image_size
    if not isinstance(sides, list | tuple):
        sides = image_size, image_size
    if len(sides) != 2:
        raise ValueError(
            "`image_size` must be an int, or a pair of ints (height, width). "
            f"Received: image_size={image_size!r}"
        )
    for side in sides:
        check_int(side, "image_size")
    return tuple(map(int, sides))


def _backbone(backbone, image_size, weights):
    """Returns the backbone as a model that is built."""
    name = application_name(backbone)
    if name is not None:
        return build_application(name, image_size, weights)
    if not isinstance(backbone, keras.Model):
        raise ValueError(
            "`backbone` must be the name of a network of `keras.applications` "
            "or a Keras model that gives features. "
            f"Received: backbone={backbone!r}"
        )
    if weights not in ("imagenet", None):
        raise ValueError(
            "`weights` are for a network that is given by its name. Load those "
            "of a model with `backbone.load_weights(path)` before. Received: "
            f"weights={weights!r} with backbone={backbone.name!r}"
        )
    _check_no_head(backbone)
    return backbone


def _check_no_head(backbone):
    graph = graph_of(backbone)
    if graph is None:
        return
    last = nodes_in_order(graph)[-1].operation
    is_softmax = getattr(last, "activation", None) is keras.activations.softmax
    if is_softmax or last.name == "predictions":
        raise ValueError(
            "The backbone must give features, so it must not end with a "
            "classifier. Build it with `include_top=False`, or cut it off with "
            "`keras.Model(model.input, model.layers[-2].output)`. "
            f"Received: backbone={backbone.name!r}, which ends with the layer "
            f"{last.name!r}"
        )


def _check_input(backbone, shape):
    """Checks that a backbone takes images of a shape.

    Args:
        backbone: Keras model.
        shape: Tuple `(None, height, width, channels)`.
    """
    own = input_shape_of(backbone)
    if own is None:
        return
    if len(own) != 4 or own[-1] not in (1, 3, None):
        raise ValueError(
            "The backbone must take images of shape (batch, height, width, "
            f"channels). Received: backbone={backbone.name!r}, which takes "
            f"{own}"
        )
    if own[-1] == 1 and shape[-1] == 3:
        raise ValueError(
            "The backbone takes images of one channel. Pass "
            '`color_mode="grayscale"` and such images. '
            f"Received: backbone={backbone.name!r}, which takes {own}"
        )
    if any(
        side not in (None, mine)
        for side, mine in zip(own[1:3], shape[1:3], strict=True)
    ):
        raise ValueError(
            "The backbone must take images of `image_size`. Build it with "
            f"`input_shape={(*shape[1:3], own[-1])}`, or pass the size it was "
            f"built for. Received: image_size={shape[1:3]} with "
            f"backbone={backbone.name!r}, which takes {own}"
        )


def _pixels(images, value_range, shape):
    """Returns images with values from 0 to 255, and the backbone's channels."""
    low, high = value_range
    if (low, high) != (0, 255):
        scale = 255 / (high - low)
        images = keras.layers.Rescaling(
            scale, -low * scale, dtype="float32", name="to_pixels"
        )(images)
    if images.shape[-1] == 1 and (shape is None or shape[-1] != 1):
        images = keras.layers.Concatenate(dtype="float32", name="grey_to_rgb")(
            [images] * 3
        )
    return images
