"""Checks of the arguments and the images of `RandAugment`."""

import collections.abc

import keras
import numpy as np

from keras_fewlabels.foundation import (
    check_arguments,
    check_seed,
    check_value_range,
    choice_rule,
    int_rule,
    number_rule,
)
from keras_fewlabels.layers.rand_augment.tables import RANDAUGMENT, TABLES

_RULES = {
    "num_ops": int_rule(0),
    "magnitude": number_rule("[0, inf)"),
    "interpolation": choice_rule("bilinear", "nearest"),
    "table": choice_rule(*TABLES),
    "magnitude_std": number_rule("[0, inf)"),
    "apply_probability": number_rule("[0, 1]"),
}


def check_layer(layer):
    """Checks the arguments of a `RandAugment`.

    Raises:
        ValueError: If an argument is out of range.
    """
    check_arguments(_RULES, layer)
    check_seed(layer.seed)
    check_value_range(layer.value_range)
    _check_fill_value(layer.fill_value, layer.value_range)
    if layer.ops is not None:
        _check_ops(layer.ops)


def _check_fill_value(fill_value, value_range):
    low, high = value_range
    if fill_value is not None and not number_rule(f"[{low}, {high}]").accepts(
        fill_value
    ):
        raise ValueError(
            "`fill_value` must be in `value_range`, or None for mid grey. "
            f"Received: fill_value={fill_value!r}, value_range={value_range}"
        )


def _check_ops(ops):
    is_sized = isinstance(ops, collections.abc.Sized)
    if isinstance(ops, str) or not (is_sized and len(ops)):
        raise ValueError(
            "`ops` must be a sequence of at least one name or layer, such as "
            f'["rotate", "color"]. Received: ops={ops!r}'
        )
    unknown = [
        op
        for op in ops
        if not isinstance(op, keras.layers.Layer) and op not in RANDAUGMENT
    ]
    if unknown:
        raise ValueError(
            "`ops` must hold Keras layers, or names out of "
            f"{', '.join(RANDAUGMENT)}. Received unknown: {unknown}"
        )


def check_keys(inputs):
    """Checks that a dict has images, and nothing that moves with them."""
    if "images" not in inputs:
        raise ValueError(
            'RandAugment changes the "images" of a dict. Rename the entry '
            f"that holds them. Received: keys={sorted(inputs)}"
        )
    moved = {"bounding_boxes", "segmentation_masks", "keypoints"} & set(inputs)
    if moved:
        raise ValueError(
            "RandAugment moves images, but not the marks on them. Leave these "
            "entries out, or pass the images alone to ops that move nothing. "
            f"Received: keys={sorted(moved)}"
        )


def check_images(images, value_range):
    """Checks the shape and the dtype of images."""
    if not hasattr(images, "shape"):
        raise ValueError(
            "RandAugment needs images in one array or tensor. Resize images "
            "of several sizes, and stack them with `np.stack`. "
            f"Received: {type(images).__name__}"
        )
    if hasattr(images, "row_splits"):
        raise ValueError(
            "RandAugment needs images of one size in a batch, not a ragged "
            "tensor. Resize the images first, or map the layer over them "
            f"before batching. Received: shape={images.shape}"
        )
    known = getattr(images.shape, "rank", 0) is not None
    shape = tuple(images.shape) if known else ()
    if len(shape) not in (3, 4) or shape[-1] not in (1, 3):
        raise ValueError(
            "RandAugment needs images of shape (height, width, channels) or "
            "(batch, height, width, channels) with 1 or 3 channels, the "
            "channels last. In tf.data, `tf.ensure_shape` states a shape that "
            f"got lost. Received: shape={shape}"
        )
    dtype = keras.backend.standardize_dtype(images.dtype)
    if dtype != "uint8" and "float" not in dtype:
        raise ValueError(
            "RandAugment needs images of uint8 or of floats. Cast them with "
            f'`keras.ops.cast(images, "uint8")`. Received: dtype={dtype}'
        )
    if dtype == "uint8" and tuple(value_range) != (0, 255):
        raise ValueError(
            "Images of uint8 have values in 0..255. Leave `value_range` at "
            "(0, 255), or rescale to floats before RandAugment. "
            f"Received: dtype={dtype}, value_range={value_range}"
        )


def check_values(images, value_range):
    """Checks that the values of an array are in `value_range`."""
    if images.dtype.kind != "f" or not images.size:
        return
    lowest, highest = images.min(), images.max()
    if not np.isfinite([lowest, highest]).all():
        raise ValueError(
            "RandAugment needs finite images. Look for the NaN or infinite "
            "values in the data, or replace them with `np.nan_to_num`. "
            f"Received: values from {lowest} to {highest}"
        )
    slack = 1e-3 * (value_range[1] - value_range[0])
    if lowest < value_range[0] - slack or highest > value_range[1] + slack:
        raise ValueError(
            other_range_error(value_range)
            + f"values from {lowest} to {highest}"
        )


def other_range_error(value_range):
    """Returns the error for images of another range, without the values."""
    return (
        "RandAugment needs images in `value_range`. Set `value_range` to the "
        "values of black and white, or rescale the images. Received: "
        f"value_range={value_range}, "
    )


def check_output(layer, images, output):
    """Checks that a layer among the ops kept the shape of the images."""
    shapes = tuple(images.shape), tuple(output.shape)
    agree = len(shapes[0]) == len(shapes[1]) and all(
        None in sizes or sizes[0] == sizes[1]
        for sizes in zip(*shapes, strict=True)
    )
    if not agree:
        raise ValueError(
            "Layers among `ops` must keep the shape of the images, because "
            "images that drew another op keep it. Leave out layers that crop "
            f"or resize. Received: {layer.name} made {shapes[1]} of {shapes[0]}"
        )
