import keras
import numpy as np

from keras_fewlabels.models.standalone.checks import (
    check_outputs,
    check_packages,
    check_same,
    checked_class_names,
    classifier_in,
    resolved_image_size,
    resolved_scores,
    resolved_value_range,
)
from keras_fewlabels.models.standalone.class_names_of import name_classes
from keras_fewlabels.models.standalone.inference_copy import InferenceCopy

# The side of the images of a trial if the classifier takes any size.
_ANY_SIZE = 64


def standalone(
    model,
    class_names,
    *,
    image_size=None,
    value_range=None,
    from_logits=None,
    packages=(),
):
    """Returns a classifier with all that it needs inside, for other programs.

    The result takes images as they come out of a file, of any height and
    width and with values from 0 to 255, and gives probabilities. Inside are
    the resizing, the scaling, the class names and, if the classifier gives
    logits, a softmax. One sigmoid unit becomes two probabilities. The parts
    that only training needs are left out: a teacher, augmentation, noise,
    dropout, `StochasticDepth`. `StochasticResidual` becomes a sum. All layers
    are layers of Keras: after `save("model.keras")`, `keras.saving.load_model`
    loads the file on any backend, and where `keras_fewlabels` is not installed.
    `class_names_of` reads the names, `predict_image` classifies a file,
    `export_standalone` writes other formats.

    Before it is returned, the copy is checked: on images of noise it must
    predict as the classifier does.

    Args:
        model: Built functional or `Sequential` classifier that takes images
            of shape `(batch, height, width, channels)`; a
            `NoisyStudentModel`, whose student is taken; or an `EMATeacher`,
            whose average is taken and is often the better one. The model
            stays as it is.
        class_names: List of strings, a name for each output, in their order;
            or of the two classes of one sigmoid unit, that of label 0 first.
        image_size: Pair of ints, the height and width that images are resized
            to, as `keras.utils.image_dataset_from_directory` does. By default
            those that the classifier was built with. If it was built for any,
            images are not resized.
        value_range: Pair of floats, the values of black and white in the
            images that the classifier was trained on. `(0, 255)` if it scales
            them itself. By default that of the noise of a
            `NoisyStudentModel`. Any other model needs it.
        from_logits: Boolean, whether the classifier gives logits. By default
            the loss tells that `model` is compiled with; without one, outputs
            of a sigmoid, and of rows that sum to 1, are probabilities.
        packages: Sequence of names of packages besides Keras whose layers may
            stay, such as `["keras_hub"]`. Programs that load the file must
            import them first.

    Returns:
        A functional `keras.Model`, frozen and not compiled, with copies of
        the weights. It takes a tensor of shape
        `(batch, height, width, channels)` with values from 0 to 255, uint8 or
        float, and returns float32 probabilities of shape
        `(batch, num_classes)`.

    Raises:
        ValueError: If a model has no graph, a layer would be left that Keras
            alone cannot load, the model does not tell `value_range`, or
            another argument does not fit the model.

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
    >>> bool(np.isclose(model.predict(photo, verbose=0).sum(), 1))
    True
    """
    class_names = checked_class_names(class_names)
    check_packages(packages)
    value_range = resolved_value_range(value_range, model)
    classifier = classifier_in(model)
    image_size = resolved_image_size(classifier, image_size)
    copy = InferenceCopy(packages).copy(classifier)
    copy = keras.Model(copy.input, copy.output, name="classifier")
    inputs, images = _front(copy, image_size, value_range)
    noise = prepared = _noise(copy, image_size)
    if images is not inputs:
        # Keras 3.12 has no model without a layer.
        prepared = keras.Model(inputs, images)(noise)
    outputs = classifier(prepared, training=False)
    outputs = keras.ops.convert_to_numpy(outputs)
    scores = resolved_scores(from_logits, outputs, model)
    check_outputs(outputs, class_names, scores)
    probabilities = _probabilities(copy(images), scores)
    result = keras.Model(
        inputs, name_classes(probabilities, class_names), name="standalone"
    )
    result.trainable = False
    found = keras.ops.convert_to_numpy(result(noise, training=False))
    check_same(result, found, outputs, scores)
    return result


def _probabilities(outputs, scores):
    """Returns a probability per class, made by layers of Keras alone."""
    name = scores.activation
    if scores.from_logits:
        outputs = keras.layers.Activation(name, dtype="float32", name=name)(
            outputs
        )
    if outputs.shape[-1] > 1:
        return outputs
    other = keras.layers.Rescaling(-1, 1, dtype="float32", name="other_class")
    both = keras.layers.Concatenate(dtype="float32", name="both_classes")
    return both([other(outputs), outputs])


def _front(copy, image_size, value_range):
    """Returns an input, and its images as the classifier takes them."""
    *own_size, channels = copy.input_shape[1:]
    size = own_size if image_size is None else (None, None)
    inputs = keras.Input((*size, channels), dtype="float32", name="image")
    images = inputs
    if image_size is not None:
        images = keras.layers.Resizing(
            *image_size, dtype="float32", name="resizing"
        )(images)
    low, high = value_range
    if (low, high) != (0, 255):
        images = keras.layers.Rescaling(
            (high - low) / 255, low, dtype="float32", name="rescaling"
        )(images)
    dtype = copy.input.dtype
    if not keras.backend.is_float_dtype(dtype):
        # A classifier of integers was trained on whole numbers.
        images = keras.ops.round(images)
    if dtype != "float32":
        images = keras.ops.cast(images, dtype)
    return inputs, images


def _noise(copy, image_size):
    """Returns a few images of noise, with values from 0 to 255."""
    *own_size, channels = copy.input_shape[1:]
    size = [side or _ANY_SIZE for side in image_size or own_size]
    noise = np.random.default_rng(0).integers(0, 256, (4, *size, channels))
    return noise.astype("float32")
