"""What `RandAugment` refuses, and what it says."""

import collections.abc
import math
import numbers

import keras
import numpy as np

from keras_fewlabels.layers.rand_augment.tables import RANDAUGMENT, TABLES


def check_arguments(layer):
    """Raises a `ValueError` if an argument of the layer is out of range."""
    if not (isinstance(layer.num_ops, int) and layer.num_ops >= 0):
        raise ValueError(
            "`num_ops` must be a whole number, 0 or more: how many ops each "
            f"image draws. Received: num_ops={layer.num_ops}"
        )
    if not (
        isinstance(layer.magnitude, (int, float))
        and 0 <= layer.magnitude < float("inf")
    ):
        raise ValueError(
            "`magnitude` must be a number, 0 or more, where 10 is the full "
            f"range of every op. Received: magnitude={layer.magnitude}"
        )
    if layer.interpolation not in ("bilinear", "nearest"):
        raise ValueError(
            '`interpolation` must be "bilinear" or "nearest". '
            f"Received: interpolation={layer.interpolation!r}"
        )
    if not isinstance(layer.table, str) or layer.table not in TABLES:
        raise ValueError(
            f"`table` must be one of {', '.join(TABLES)}. "
            f"Received: table={layer.table!r}"
        )
    if not (_is_number(layer.magnitude_std) and layer.magnitude_std >= 0):
        raise ValueError(
            "`magnitude_std` must be a number, 0 or more, on the scale of "
            f"`magnitude`. Received: magnitude_std={layer.magnitude_std!r}"
        )
    if not (
        _is_number(layer.apply_probability)
        and 0 <= layer.apply_probability <= 1
    ):
        raise ValueError(
            "`apply_probability` must be in [0, 1]. "
            f"Received: apply_probability={layer.apply_probability!r}"
        )
    if layer.ops is not None:
        _check_ops(layer.ops)
    _check_range(layer.value_range, layer.fill_value)


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


def _check_range(value_range, fill_value):
    if not _is_range(value_range):
        raise ValueError(
            "`value_range` must be the values of black and white, the lower "
            "one first, such as (0, 255), (0, 1) or (-1, 1). "
            f"Received: value_range={value_range!r}"
        )
    low, high = value_range
    if fill_value is not None and not (
        _is_number(fill_value) and low <= fill_value <= high
    ):
        raise ValueError(
            "`fill_value` must lie in `value_range`, in whose unit it is; "
            "None means mid grey. "
            f"Received: fill_value={fill_value!r}, value_range={value_range}"
        )


def _is_range(value_range):
    try:
        low, high = value_range
    except (TypeError, ValueError):
        return False
    return _is_number(low) and _is_number(high) and low < high


def _is_number(value):
    return isinstance(value, numbers.Real) and math.isfinite(value)


def check_keys(inputs):
    """Raises a `ValueError` if a dict cannot be augmented as a whole."""
    if "images" not in inputs:
        raise ValueError(
            'RandAugment changes the "images" of a dict. Rename the entry '
            f"that holds them. Received: keys={sorted(inputs)}"
        )
    moved = {"bounding_boxes", "segmentation_masks", "keypoints"} & set(inputs)
    if moved:
        raise ValueError(
            "RandAugment moves images, but not what is marked on them. Leave "
            f"these out, or use ops that move nothing on images alone. "
            f"Received: keys={sorted(moved)}"
        )


def check_images(images, value_range):
    """Raises a `ValueError` if images have the wrong shape or dtype."""
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
    """Raises a `ValueError` if an array has values that no image has."""
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
            "RandAugment needs images in `value_range`. Set `value_range` to "
            "the values of black and white, or rescale the images. "
            f"Received: values from {lowest} to {highest}, "
            f"value_range={value_range}"
        )


def check_output(layer, images, output):
    """Raises a `ValueError` if a layer among the ops changed the shape."""
    shapes = tuple(images.shape), tuple(output.shape)
    agree = len(shapes[0]) == len(shapes[1]) and all(
        None in sizes or sizes[0] == sizes[1]
        for sizes in zip(*shapes, strict=True)
    )
    if not agree:
        raise ValueError(
            "Layers among `ops` must keep the shape of the images, as images "
            "that drew another op keep theirs. Leave out layers that crop or "
            f"resize. Received: {layer.name} made {shapes[1]} of {shapes[0]}"
        )
