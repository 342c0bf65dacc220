"""The check of the first images that a `RandAugment` changes."""

import functools

import keras
from keras import ops

from keras_fewlabels.foundation import has_other_range
from keras_fewlabels.layers.rand_augment.checks import other_range_error
from keras_fewlabels.layers.rand_augment.in_dataset import in_dataset


def check_first_images(layer, images):
    """Checks that the first images of a layer have its value range.

    Later images are not looked at, because images of a right range may be
    dark. In a compiled step the step raises, except by XLA on TensorFlow.

    Args:
        layer: The `RandAugment`.
        images: Float tensor of shape `(batch, height, width, channels)`.

    Returns:
        Boolean tensor that is true for images of another range if XLA runs
        the call on TensorFlow, where nothing can be raised; otherwise `None`.

    Raises:
        ValueError: If the images have another range.
    """
    if layer.range_is_known or 0 in images.shape:
        return None
    if _has_values(images):
        wrong, lowest, highest = _look_at(images, layer.value_range)
        if wrong:
            raise_error(layer.value_range, lowest, highest)
        layer.range_is_known = bool(highest > layer.value_range[0])
        return None
    # Only the first call looks at all values.
    is_first = _is_first_call(layer)
    if keras.backend.backend() == "jax":
        return _check_on_jax(is_first, images, layer.value_range)
    return _check_in_graph(is_first, images, layer.value_range)


def _look_at(images, value_range):
    """Returns whether the range is another one, and the extreme values."""
    lowest, highest = (
        ops.cast(extreme(images), "float32") for extreme in (ops.min, ops.max)
    )
    wrong = has_other_range(lowest, highest, value_range)
    return wrong, lowest, highest


def raise_error(value_range, lowest, highest):
    """Raises the error for images of another range."""
    raise ValueError(
        other_range_error(value_range)
        + f"values from {float(lowest)} to {float(highest)}"
    )


def _check_in_graph(is_first, images, value_range):
    import tensorflow as tf

    def check():
        wrong, lowest, highest = _look_at(images, value_range)
        message = other_range_error(value_range) + "values from"
        tf.debugging.Assert(~wrong, [message, lowest, "to", highest])
        # XLA leaves the assertion out.
        return wrong

    return tf.cond(is_first, check, lambda: tf.constant(False))


def _check_on_jax(is_first, images, value_range):
    import jax

    error = functools.partial(raise_error, value_range)

    def check():
        wrong, *extremes = _look_at(images, value_range)
        jax.lax.cond(
            wrong, lambda: jax.debug.callback(error, *extremes), lambda: None
        )

    jax.lax.cond(is_first, check, lambda: None)


def _has_values(images):
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.executing_eagerly()
    if backend == "jax":
        import jax

        return not isinstance(images, jax.core.Tracer)
    return images.device.type != "meta"


def _is_first_call(layer):
    if keras.backend.backend() == "tensorflow" and in_dataset():
        return layer.dataset_seeds().is_first_call()
    return layer.seed_generator.state.value[1] == layer.first_number
