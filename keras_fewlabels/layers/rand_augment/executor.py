"""Choice of the faster form of the ops of `RandAugment`."""

import functools

import keras

from keras_fewlabels.foundation import has_accelerator
from keras_fewlabels.layers.rand_augment.in_dataset import in_dataset
from keras_fewlabels.ops.augment_each import augment_each
from keras_fewlabels.ops.augment_grouped import augment_grouped
from keras_fewlabels.ops.augment_merged import augment_merged


def execute(images, names, drawn, strength, center, fill, interpolation):
    """Runs the form of the ops that is fastest here.

    All give the same levels. On a CPU, in a graph or a `tf.data` pipeline,
    images go through the ops one by one, compiled by XLA for each batch size.
    Images of unknown height or width are not compiled, because XLA would
    compile again for each size. On torch and eagerly on TensorFlow, the images
    that drew an op go through it together. On accelerators, all images of the
    batch go through every op at once.

    Args:
        images: Levels, a uint8 tensor of shape
            `(batch, height, width, channels)`.
        names: Tuple of names of ops.
        drawn: Integer tensor of shape `(batch, num_ops)`, positions in
            `names`.
        strength: Float tensor of shape `(batch, num_ops)`.
        center: Float tensor of shape `(batch, num_ops, 2)`.
        fill: Number in 0..255.
        interpolation: `"nearest"` or `"bilinear"`.

    Returns:
        A uint8 tensor of the shape of `images`.
    """
    settings = (names, fill, interpolation)
    if keras.backend.backend() == "jax":
        run = _in_jax(*settings)
    elif keras.backend.backend() == "tensorflow":
        run = _in_tensorflow(*settings, images.shape[1:].is_fully_defined())
    else:
        run = _in_torch(images.device, *settings)
    return run(images, drawn, strength, center)


def _partial(function, names, fill, interpolation):
    def run(images, drawn, strength, center):
        return function(
            images, names, drawn, strength, center, fill, interpolation
        )

    return run


@functools.cache
def _in_jax(*settings):
    import jax

    form = augment_merged if has_accelerator() else augment_each
    return jax.jit(_partial(form, *settings))


def _in_tensorflow(names, fill, interpolation, known_size):
    import tensorflow as tf

    settings = (names, fill, interpolation)
    if has_accelerator() and not in_dataset():
        return _partial(augment_merged, *settings)
    if tf.executing_eagerly():
        return _partial(augment_grouped, *settings)
    if not known_size:
        return _unless_empty(_partial(augment_each, *settings))
    return _unless_empty(_compiled_by_tensorflow(*settings))


def _in_torch(device, *settings):
    import torch

    # Neither on the device "meta" nor for the compiler do draws have values.
    if device.type != "cpu" or torch.compiler.is_compiling():
        return _partial(augment_merged, *settings)
    return _partial(augment_grouped, *settings)


def _unless_empty(run):
    import tensorflow as tf

    def run_or_return(images, *draws):
        # A loop over no images cannot tell the size of its results.
        return tf.cond(
            tf.size(images) > 0, lambda: run(images, *draws), lambda: images
        )

    return run_or_return


@functools.cache
def _compiled_by_tensorflow(*settings):
    import tensorflow as tf

    # The loops are those of Keras. Looking for loops of Python in the sources
    # would take half of the time.
    return tf.function(
        _partial(augment_each, *settings), jit_compile=True, autograph=False
    )
