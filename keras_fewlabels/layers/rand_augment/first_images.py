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
    lowest, highest = (
        ops.cast(extreme(images), "float32") for extreme in (ops.min, ops.max)
    )
    wrong = has_other_range(lowest, highest, layer.value_range)
    if _has_values(images):
        if wrong:
            raise_error(layer.value_range, lowest, highest)
        layer.range_is_known = bool(highest > layer.value_range[0])
        return None
    wrong = ops.logical_and(wrong, _is_first_call(layer))
    if keras.backend.backend() == "jax":
        return _raise_on_jax(layer.value_range, wrong, lowest, highest)
    return _raise_in_graph(layer.value_range, wrong, lowest, highest)


def raise_error(value_range, lowest, highest):
    """Raises the error for images of another range."""
    raise ValueError(
        other_range_error(value_range)
        + f"values from {float(lowest)} to {float(highest)}"
    )


def _raise_in_graph(value_range, wrong, lowest, highest):
    import tensorflow as tf

    message = other_range_error(value_range) + "values from"
    tf.debugging.Assert(~wrong, [message, lowest, "to", highest])
    # XLA leaves the assertion out.
    return wrong


def _raise_on_jax(value_range, wrong, lowest, highest):
    import jax

    error = functools.partial(raise_error, value_range)
    jax.lax.cond(
        wrong, lambda: jax.debug.callback(error, lowest, highest), lambda: None
    )


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
