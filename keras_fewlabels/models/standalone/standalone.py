import keras
import numpy as np

from keras_fewlabels.foundation.arguments import check_value_range
from keras_fewlabels.models.standalone.checks import (
    check_class_names,
    check_packages,
    check_same,
    checked_image_size,
    checked_probabilities,
    classifier_in,
)
from keras_fewlabels.models.standalone.class_names_of import name_classes
from keras_fewlabels.models.standalone.inference_copy import InferenceCopy

# The side of images for a trial where the classifier takes any.
_ANY_SIZE = 64


def standalone(
    model,
    class_names,
    image_size,
    value_range,
    from_logits=None,
    which="student",
    interpolation="bilinear",
    packages=(),
):
    """A classifier with all that it needs inside, made of layers of Keras.

    The result takes images as they come out of a file, of any height and
    width and with values from 0 to 255, and gives probabilities. Inside are
    the resizing, the scaling, the class names and a softmax where the
    classifier gives logits. Left out is what only training needs: a teacher,
    augmentation, noise, dropout, `StochasticDepth`. `StochasticResidual`
    becomes a sum. Saved by `save("model.keras")`, it is loaded by
    `keras.saving.load_model` where `keras_fewlabels` is not installed, on any
    backend. `class_names_of` reads the names, `predict_image` classifies a
    file, `export_standalone` writes other formats.

    The copy is checked before it is returned: on images of noise it predicts
    what the classifier does.

    Args:
        model: Built functional or `Sequential` classifier that takes images
            of shape `(batch, height, width, channels)`; or a
            `NoisyStudentModel`, whose student is taken. It stays as it is.
        class_names: List of strings, a name for each output, in their order.
        image_size: Pair of ints, the height and width that images are resized
            to. `None` takes those the classifier was built with; if it was
            built for any, images are not resized.
        value_range: Pair of floats, the values of black and white in the
            images that the classifier was trained on. `(0, 255)` if it scales
            them itself.
        from_logits: Boolean, whether the classifier gives logits. By default
            its outputs tell: rows that sum to 1 are probabilities.
        which: `"student"` or `"teacher"`: which model of a
            `NoisyStudentModel`. The teacher is often the better one if it is
            an `EMATeacher`.
        interpolation: String, how `keras.layers.Resizing` resizes. By default
            as `keras.utils.image_dataset_from_directory` does.
        packages: Sequence of names of packages besides Keras whose layers may
            stay, such as `["keras_hub"]`. Who loads the file must have and
            import them.

    Returns:
        A functional `keras.Model`, frozen and not compiled, with copies of
        the weights. It takes a tensor of shape
        `(batch, height, width, channels)` with values from 0 to 255, uint8 or
        float, and returns float32 probabilities of shape
        `(batch, num_classes)`.

    Raises:
        ValueError: If an argument is not as above, a model has no graph, or a
            layer would be left that Keras alone cannot load.

    Example:

    >>> classifier = keras.Sequential(
    ...     [
    ...         keras.Input((8, 8, 1)),
    ...         keras_fewlabels.layers.RandAugment(value_range=(0, 1)),
    ...         keras.layers.Flatten(),
    ...         keras.layers.Dropout(0.5),
    ...         keras.layers.Dense(2),
    ...     ]
    ... )
    >>> model = keras_fewlabels.models.standalone(
    ...     classifier, ["cat", "dog"], image_size=(8, 8), value_range=(0, 1)
    ... )
    >>> [layer.name for layer in model.layers]
    ['image', 'resizing', 'rescaling', 'classifier', 'softmax', 'class_names']
    >>> photo = np.random.default_rng(0).integers(0, 256, (1, 90, 60, 1))
    >>> model.predict(photo, verbose=0).sum().round(5)
    np.float32(1.0)
    """
    check_class_names(class_names)
    check_value_range(value_range)
    check_packages(packages)
    classifier = classifier_in(model, which)
    image_size = checked_image_size(classifier, image_size)
    copy = InferenceCopy(packages).copy(classifier)
    copy = keras.Model(copy.input, copy.output, name="classifier")
    front = _front(copy, image_size, value_range, interpolation)
    noise = _noise(copy, image_size)
    outputs = classifier(front(noise), training=False)
    expected, from_logits = checked_probabilities(
        keras.ops.convert_to_numpy(outputs), class_names, from_logits, copy
    )
    scores = copy(front.output)
    if from_logits:
        scores = keras.layers.Softmax(dtype="float32", name="softmax")(scores)
    result = keras.Model(
        front.input, name_classes(scores, class_names), name="standalone"
    )
    result.trainable = False
    found = keras.ops.convert_to_numpy(result(noise, training=False))
    check_same(copy, found, expected)
    return result


def _front(copy, image_size, value_range, interpolation):
    """A model of what happens to images before the classifier sees them."""
    *own_size, channels = copy.input_shape[1:]
    size = own_size if image_size is None else (None, None)
    inputs = keras.Input((*size, channels), dtype="float32", name="image")
    images = inputs
    if image_size is not None:
        images = keras.layers.Resizing(
            *image_size, interpolation, dtype="float32", name="resizing"
        )(images)
    low, high = map(float, value_range)
    if (low, high) != (0, 255):
        images = keras.layers.Rescaling(
            (high - low) / 255, low, dtype="float32", name="rescaling"
        )(images)
    dtype = copy.input.dtype
    if not keras.backend.is_float_dtype(dtype):
        # What was trained on whole numbers sees whole numbers.
        images = keras.ops.round(images)
    if dtype != "float32":
        images = keras.ops.cast(images, dtype)
    return keras.Model(inputs, images)


def _noise(copy, image_size):
    """A few images that look like nothing, values from 0 to 255."""
    *own_size, channels = copy.input_shape[1:]
    size = [side or _ANY_SIZE for side in image_size or own_size]
    noise = np.random.default_rng(0).integers(0, 256, (4, *size, channels))
    return noise.astype("float32")
