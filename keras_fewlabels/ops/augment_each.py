"""Ops drawn per image, run for one image after the other."""

import keras
import numpy as np
from keras import ops

from keras_fewlabels.ops.augment_merged import (
    AXES,
    POINTWISE,
    TABLES,
    augment_merged,
)
from keras_fewlabels.ops.look_up import look_up
from keras_fewlabels.ops.pixel import levels


def augment_each(
    images, names, drawn, strength, center, fill=128, interpolation="bilinear"
):
    """Applies to each image the ops it drew, one image after the other.

    A loop over the images branches into the ops that were drawn and computes
    no others. Compiled by XLA, this is by far the fastest form on a CPU. The
    result is that of `augment_merged`, level for level.

    Args:
        images: Levels, a uint8 tensor of shape
            `(batch, height, width, channels)`.
        names: Tuple of names out of `layers.RandAugment.OPS`.
        drawn: Integer tensor of shape `(batch, num_ops)`, the positions in
            `names` of the ops that each image drew.
        strength: Float tensor of shape `(batch, num_ops)` in the units of
            those ops.
        center: Float tensor of shape `(batch, num_ops, 2)`, see `cutout`.
        fill: Number in 0..255, the level of pixels from outside the image.
        interpolation: `"nearest"` or `"bilinear"`.

    Returns:
        A uint8 tensor of the shape of `images`.

    Example:

    >>> from keras_fewlabels.ops.augment_each import augment_each
    >>> images = np.full((2, 1, 1, 1), 100, dtype="uint8")
    >>> output = augment_each(
    ...     images,
    ...     names=("invert", "brightness"),
    ...     drawn=np.array([[0], [1]]),
    ...     strength=np.array([[0.0], [0.5]]),
    ...     center=np.zeros((2, 1, 2)),
    ... )
    >>> keras.ops.convert_to_numpy(output).ravel()
    array([155,  50], dtype=uint8)
    """
    num_ops = drawn.shape[1]

    groups = _groups(names)
    group_of, place_of = _positions(names, groups)

    def branch(group):
        def run(image, drawn, strength, center):
            name = group[0]
            if name in POINTWISE:
                return POINTWISE[name](image, strength[0], image)
            if name in TABLES:
                return _tabulated(image, TABLES[name](image, None, levels()))
            return augment_merged(
                image, group, drawn, strength, center, fill, interpolation
            )

        return run

    branches = list(map(branch, groups))

    def one(inputs):
        image, drawn, strength, center = inputs

        def slot(i, image):
            return ops.switch(
                ops.take(group_of, drawn[i]),
                branches,
                image,
                ops.take(place_of, ops.slice(drawn, (i,), (1,)))[None],
                ops.slice(strength, (i,), (1,))[None],
                ops.slice(center, (i, 0), (1, 2))[None],
            )

        return ops.fori_loop(0, num_ops, slot, image[None])[0]

    inputs = [
        ops.convert_to_tensor(images),
        ops.cast(drawn, "int32"),
        ops.cast(strength, "float32"),
        ops.cast(center, "float32"),
    ]
    if inputs[0].shape[0] is not None:
        return _map(one, inputs)
    # XLA on TensorFlow cannot compile a loop over no images.
    count = ops.shape(images)[0]
    return _map(one, [_at_least_one(part, count) for part in inputs])[:count]


def _groups(names):
    """Returns tuples of the names that share a branch.

    Those that move pixels along one axis differ in their matrix alone, and the
    code that moves pixels takes long to compile.
    """
    groups = {}
    for name in names:
        groups.setdefault(AXES.get(name, name), []).append(name)
    return list(map(tuple, groups.values()))


def _positions(names, groups):
    """Returns int arrays of the group of each name, and its place in there."""
    positions = [
        (number, group.index(name))
        for name in names
        for number, group in enumerate(groups)
        if name in group
    ]
    return np.array(positions, "int32").T


def _map(one, inputs):
    if keras.backend.backend() != "tensorflow":
        return ops.map(one, inputs)
    import tensorflow as tf

    # `ops.map` would also trace the ops outside of the loop, to learn what
    # they return. The graph, and the time to build it, would double.
    images = inputs[0]
    image = tf.TensorSpec(images.shape[1:], images.dtype)
    return tf.map_fn(one, inputs, fn_output_signature=image)


def _at_least_one(part, count):
    """Returns an array of `count` rows, or of a row of zeros if that is 0."""
    missing = ops.maximum(1 - count, 0)
    zeros = ops.zeros((missing, *ops.shape(part)[1:]), part.dtype)
    return ops.concatenate([part, zeros])


def _tabulated(image, table):
    # Inside a branch, XLA computes the table once, not again for every pixel.
    return ops.cond(
        ops.any(table > 0),
        lambda: look_up(image, table),
        lambda: ops.zeros_like(image),
    )
