import keras

from keras_fewlabels.foundation import (
    check_choice,
    check_fraction,
    check_int,
    check_names,
    check_type,
    check_value_range,
    input_shape_of,
)
from keras_fewlabels.models.classifier.keras_hub import call_task
from keras_fewlabels.models.classifier.pooling import POOLINGS, pool
from keras_fewlabels.models.classifier.preprocessing import (
    resolve_preprocessing,
)
from keras_fewlabels.models.classifier.source import find_source

_NUM_CHANNELS = {"rgb": 3, "grayscale": 1}


def classifier(
    backbone,
    classes=None,
    image_size=None,
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
    loads the saved model where `keras_fewlabels` is not installed. If the
    backbone has layers of its own, as transformers of keras-hub have, import
    their package before.

    Args:
        backbone: One of these:

            - The name of a network of `keras.applications`, such as
              `"MobileNetV2"` or `"efficientnet_b0"`.
            - A preset of keras-hub, such as `"dinov2_small"` or
              `"hf://timm/resnet18.a1_in1k"`, or its folder. keras-hub loads
              it together with its preprocessing.
            - A task of keras-hub or keras-cv, such as
              `keras_hub.models.ImageClassifier`. What it does in `predict()`
              alone, a call of the classifier does, too.
            - A backbone of keras-hub or keras-cv, or any other built
              Keras model that turns images of shape `(batch, height, width,
              channels)` into features.

            The layers of a model become a part of the classifier and are not
            copied.
        classes: Int, the number of classes, 2 or more. Or the list of their
            names, which is only counted. `None` keeps the head of a task. 1
            is one sigmoid unit for two classes, with `activation="sigmoid"`
            or, for its logit, `None`.
        image_size: Int, or pair of ints `(height, width)`, of the images. It
            may be `None` for a model that was built for one size. A task that
            keeps its head resizes images of another size, as in `predict()`;
            any other model that was built for one size refuses them.
        weights: Where the weights of a named network come from:
            `"imagenet"`, the path of a file of weights without the top, or
            `None` for random ones. A backbone that is a model keeps its own.
        preprocessing: How to turn pixels from 0 to 255 into the values that
            the backbone was trained on. A network of `keras.applications`, a
            preset, a task, and a model that begins with a `Rescaling` or
            `Normalization` need none. Any other model needs one of these:

            - A pair `(scale, offset)`, as for `keras.layers.Rescaling`, of
              numbers or of a number per channel.
            - `"tf"` (values from -1 to 1), `"torch"` (mean and deviation of
              ImageNet) or `"caffe"` (BGR without the mean of ImageNet), the
              modes of `keras.applications.imagenet_utils.preprocess_input`.
            - A function `preprocess_input` of `keras.applications`.
            - A Keras layer, also an `ImageConverter` of keras-hub, of which
              only the scaling is taken.
            - `"none"`, if the backbone takes pixels as they are.
        pooling: `"avg"` or `"max"` over a feature map or the patches of a
            transformer, or `"token"` for the first token of a transformer.
            `"auto"` is the class token of those transformers of keras-hub
            that have one (ViT, DeiT, CLIP, DINOv2, DINOv3), otherwise the
            average. Features that are a vector already, as those of SigLIP,
            stay as they are. A ConvNeXt of `keras.applications` averages
            before its last normalization, as it was trained; if it is not
            given by its name, build it with `pooling="avg"`.
        dropout: Float in `[0, 1)`, the rate of dropout in front of the head.
        activation: Activation of the head: `"softmax"` if one class is true of
            each image, `"sigmoid"` if several may be. With `None` it gives
            logits, and the loss needs `from_logits=True`.
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
    num_classes = None
    if classes is not None:
        num_classes = _num_classes(classes, activation)
    image_size = _checked_image_size(image_size, backbone)
    check_choice(pooling, "pooling", POOLINGS)
    check_fraction(dropout, "dropout")
    check_value_range(value_range)
    check_choice(color_mode, "color_mode", tuple(_NUM_CHANNELS))
    check_type(name, "name", str, "a string", optional=True)
    source = find_source(
        backbone, image_size, weights, num_classes is None, pooling
    )
    images = keras.Input(
        (*(image_size or _own_size(source)), _NUM_CHANNELS[color_mode]),
        name="images",
    )
    pixels = _pixels(images, value_range, source)
    if preprocessing is None:
        preprocessing = source.preprocessing
    preprocess = resolve_preprocessing(preprocessing, source.backbone)
    values = preprocess(pixels)
    if source.task is not None:
        _check_own_head(pooling, dropout, activation)
        scores = call_task(source.task, source.model, values)
    else:
        features = source.model(values)
        features = pool(
            features, pooling, source.model, source.num_prefix_tokens
        )
        if dropout:
            features = keras.layers.Dropout(dropout, name="dropout")(features)
        scores = keras.layers.Dense(
            num_classes,
            activation=activation,
            dtype="float32",  # All digits, also in mixed precision.
            name="predictions",
        )(features)
    name = name or f"{source.model.name}_classifier"
    return keras.Model(images, scores, name=name)


def _num_classes(classes, activation):
    if isinstance(classes, list | tuple):
        classes = len(check_names(classes, "classes"))
    # A softmax of one class is always 1.
    is_softmax = keras.activations.get(activation) is keras.activations.softmax
    hint = 'Pass 2 for yes or no, or 1 with `activation="sigmoid"`'
    check_int(classes, "classes", 2 if is_softmax else 1, hint=hint)
    return int(classes)


def _checked_image_size(image_size, backbone):
    """Returns a pair of ints, or `None` if the backbone may tell."""
    if image_size is None and isinstance(backbone, keras.Model):
        return None
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


def _own_size(source):
    """Returns the size of images that a backbone or task was built for."""
    if source.resizing is not None:
        return source.resizing.height, source.resizing.width
    size = (input_shape_of(source.model) or (None,) * 4)[1:3]
    if None in size:
        raise ValueError(
            "`image_size` must be an int, or a pair of ints (height, width), "
            "for a backbone that takes images of any size. Received: "
            f"image_size=None with backbone={source.model.name!r}"
        )
    return size


def _check_own_head(pooling, dropout, activation):
    if (pooling, dropout, activation) != ("auto", 0.2, "softmax"):
        raise ValueError(
            "A task that keeps its head keeps its `pooling`, `dropout` and "
            "`activation`. Leave them out, or pass `classes` for a new head. "
            f"Received: pooling={pooling!r}, dropout={dropout!r}, "
            f"activation={activation!r} with classes=None"
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


def _pixels(images, value_range, source):
    """Returns images from 0 to 255 of the backbone's channels and size."""
    low, high = value_range
    if (low, high) != (0, 255):
        scale = 255 / (high - low)
        images = keras.layers.Rescaling(
            scale, -low * scale, dtype="float32", name="to_pixels"
        )(images)
    shape = input_shape_of(source.model)
    if images.shape[-1] == 1 and (shape is None or shape[-1] != 1):
        images = keras.layers.Concatenate(dtype="float32", name="grey_to_rgb")(
            [images] * 3
        )
    resizing = source.resizing
    if resizing is not None and images.shape[1:3] != _own_size(source):
        # Keras's default is training, for all layers after this one as well.
        images = resizing(images, training=False)
    _check_input(source.model, images.shape)
    return images
