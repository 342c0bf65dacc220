import keras
import numpy as np

from keras_fewlabels.plots.image_grid import image_grid


def augmentations(images, layer, num_views=8, value_range=None, titles=None):
    """Draws what a layer of augmentation makes of images.

    Look before you train: where you could not name the class of a view, the
    model will learn a wrong one. Each row is an image, first as it is, then
    as `num_views` calls of the layer returned it.

    Args:
        images: Array of shape `(batch, height, width, channels)` with 1 or 3
            channels, of uint8 or floats. All are drawn, so give a few.
        layer: A Keras layer, which is called with `training=True`, or a
            function of a batch of images. It may change their size.
        num_views: Integer, how many views of each image are drawn.
        value_range: Pair of floats, the values of black and white. Defaults
            to the layer's own `value_range`; without one, to `(0, 255)` for
            uint8.
        titles: Optional sequence of strings, left of each row.

    Returns:
        A `matplotlib.figure.Figure`. `figure.savefig("views.png")` writes it;
        pyplot does not know it, and nothing is shown.

    Raises:
        ValueError: If images are no batch, an argument is out of range, or
            nothing says in which range floats are.
        ImportError: If matplotlib is not installed.

    Example:

    >>> images = np.zeros((2, 16, 16, 3), "uint8")
    >>> figure = keras_fewlabels.plots.augmentations(
    ...     images, keras_fewlabels.layers.RandAugment(), num_views=3
    ... )
    >>> [axes.get_title() for axes in figure.axes[:4]]
    ['original', 'view 1', 'view 2', 'view 3']
    """
    images = keras.ops.convert_to_numpy(images)
    if images.ndim != 4:
        raise ValueError(
            "`images` must have the shape (batch, height, width, channels); "
            "`images[None]` makes a batch of one image. "
            f"Received: shape={images.shape}"
        )
    if not callable(layer):
        raise ValueError(
            "`layer` must be a Keras layer, or a function of a batch of "
            f"images. Received: layer={layer!r}"
        )
    if not (isinstance(num_views, int) and num_views > 0):
        raise ValueError(
            "`num_views` must be a whole number, 1 or more. "
            f"Received: num_views={num_views!r}"
        )
    if value_range is None:
        value_range = _value_range(images, layer)
    options = {"training": True} if isinstance(layer, keras.Layer) else {}
    views = [layer(images, **options) for _ in range(num_views)]
    columns = [images, *map(keras.ops.convert_to_numpy, views)]
    return image_grid(
        list(zip(*columns, strict=True)),
        value_range=value_range,
        row_titles=titles,
        column_titles=["original"]
        + [f"view {number + 1}" for number in range(num_views)],
    )


def _value_range(images, layer):
    value_range = getattr(layer, "value_range", None)
    if value_range is not None:
        return value_range
    if images.dtype == np.uint8:
        return 0, 255
    raise ValueError(
        "Images of other types than uint8 have no range of their own, nor has "
        "the layer. Give the values of black and white, such as "
        f"`value_range=(0, 1)`. Received: images.dtype={images.dtype}"
    )
