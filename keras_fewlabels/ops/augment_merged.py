"""Ops drawn per image, run as a few kernels for the whole batch."""

from keras import ops

from keras_fewlabels.ops.blend import color, contrast, sharpness
from keras_fewlabels.ops.histogram import autocontrast_table, equalize_table
from keras_fewlabels.ops.look_up import look_up
from keras_fewlabels.ops.matrix import (
    identity_matrix,
    rotate_matrix,
    shear_matrix,
    translate_matrix,
)
from keras_fewlabels.ops.pixel import (
    brightness,
    cutout,
    invert,
    levels,
    posterize,
    solarize,
    solarize_add,
)
from keras_fewlabels.ops.warp import warp

# Functions of images, strengths and levels that return the new levels.
POINTWISE = {
    "invert": lambda images, strength, levels: invert(levels),
    "posterize": lambda images, bits, levels: posterize(levels, bits),
    "solarize": lambda images, threshold, levels: solarize(levels, threshold),
    "solarize_add": lambda images, add, levels: solarize_add(levels, add),
    "contrast": contrast,
    "brightness": lambda images, factor, levels: brightness(levels, factor),
}
TABLES = {
    **POINTWISE,
    "autocontrast": lambda images, strength, levels: autocontrast_table(images),
    "equalize": lambda images, strength, levels: equalize_table(images),
}
MATRICES = {
    "rotate": rotate_matrix,
    "shear_x": lambda strength, height, width: shear_matrix(
        strength, ops.zeros_like(strength)
    ),
    "shear_y": lambda strength, height, width: shear_matrix(
        ops.zeros_like(strength), strength
    ),
    "translate_x": lambda strength, height, width: translate_matrix(
        strength * ops.cast(width, "float32"), ops.zeros_like(strength)
    ),
    "translate_y": lambda strength, height, width: translate_matrix(
        ops.zeros_like(strength), strength * ops.cast(height, "float32")
    ),
}
# Along which alone they move pixels.
AXES = {
    "shear_x": "x",
    "translate_x": "x",
    "shear_y": "y",
    "translate_y": "y",
}


def augment_merged(
    images, names, drawn, strength, center, fill=128, interpolation="bilinear"
):
    """Applies to each image the ops it drew, all images at once.

    Shapes are static and nothing branches on data. All pointwise ops are one
    look-up table per image, and all geometric ops one warp; images that drew
    none of them get a table or map that changes nothing. Only the kernels of
    ops in `names` are built. This is the form for accelerators. On a CPU,
    `augment_each` gives the same result faster.

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

    >>> from keras_fewlabels.ops.augment_merged import augment_merged
    >>> images = np.full((2, 1, 1, 1), 100, dtype="uint8")
    >>> output = augment_merged(
    ...     images,
    ...     names=("invert", "brightness"),
    ...     drawn=np.array([[0], [1]]),
    ...     strength=np.array([[0.0], [0.5]]),
    ...     center=np.zeros((2, 1, 2)),
    ... )
    >>> keras.ops.convert_to_numpy(output).ravel()
    array([155,  50], dtype=uint8)
    """
    drawn = ops.cast(drawn, "int32")
    strength = ops.cast(strength, "float32")
    for slot in range(drawn.shape[1]):
        images = _slot(
            images,
            names,
            drawn[:, slot],
            strength[:, slot],
            center[:, slot],
            fill,
            interpolation,
        )
    return images


def _slot(images, names, drawn, strength, center, fill, interpolation):
    def strength_of(name, neutral):
        return ops.where(drawn == names.index(name), strength, neutral)

    images = _tabulated(images, names, drawn, strength_of)
    if "color" in names and images.shape[-1] == 3:
        images = color(images, strength_of("color", 1.0))
    if "sharpness" in names:
        images = sharpness(images, strength_of("sharpness", 1.0))
    images = _warped(images, names, drawn, strength_of, fill, interpolation)
    if "cutout" in names:
        images = cutout(images, strength_of("cutout", 0.0), center, fill)
    return images


def _tabulated(images, names, drawn, strength_of):
    tables = ops.cast(levels(), "int32")
    pointwise = [name for name in TABLES if name in names]
    for name in pointwise:
        chosen = ops.reshape(drawn == names.index(name), (-1, 1, 1, 1))
        table = TABLES[name](images, strength_of(name, 1.0), levels())
        tables = ops.where(chosen, ops.cast(table, "int32"), tables)
    return look_up(images, tables) if pointwise else images


def _warped(images, names, drawn, strength_of, fill, interpolation):
    height, width = ops.shape(images)[1:3]
    matrix = identity_matrix()
    geometric = [name for name in MATRICES if name in names]
    for name in geometric:
        chosen = ops.reshape(drawn == names.index(name), (-1, 1))
        candidate = MATRICES[name](strength_of(name, 0.0), height, width)
        matrix = ops.where(chosen, candidate, matrix)
    if not geometric:
        return images
    axes = {AXES.get(name) for name in geometric}
    axis = axes.pop() if len(axes) == 1 else None
    return warp(images, matrix, fill, interpolation, axis)
