import keras

from keras_fewlabels.foundation import check_int, resolve_value_range
from keras_fewlabels.plots.image_grid import image_grid


def augmentations(images, layer, num_views=8, *, value_range=None, titles=None):
    """Draws images beside their augmented views.

    Look at the views before training: if you cannot name the class of a view,
    the model would learn a wrong one. Each row is an image, first as it is,
    then as `num_views` calls of the layer returned it.

    Args:
        images: Array of shape `(batch, height, width, channels)` with 1 or 3
            channels, of uint8 or floats. All of them are drawn.
        layer: A Keras layer, which is called with `training=True`, or a
            function of a batch of images. It may change their size.
        num_views: Integer, the number of views of each image.
        value_range: Pair of floats, the values of black and white. Defaults
            to the `value_range` of the layer. If the layer has none, it is
            `(0, 255)` for uint8, and for floats the narrowest of `(0, 1)`,
            `(-1, 1)` and `(0, 255)` that holds all values.
        titles: Optional sequence of a string per image, left of its row.

    Returns:
        A `matplotlib.figure.Figure`. `figure.savefig("views.png")` writes it;
        pyplot does not manage it, and nothing is shown.

    Raises:
        ValueError: If images have another shape, no range holds all their
            values, or an argument is not as above.
        ImportError: If matplotlib is not installed.

    Example:

    >>> images = np.zeros((2, 16, 16, 3), "uint8")
    >>> figure = keras_fewlabels.plots.augmentations(
    ...     images, keras_fewlabels.layers.RandAugment(), num_views=3
    ... )
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['original', 'view 1', 'view 2', 'view 3']
    """
    images = keras.ops.convert_to_numpy(images)
    if images.ndim != 4 or not len(images):
        raise ValueError(
            "`images` must have the shape (batch, height, width, channels), "
            "with at least one image. `images[None]` makes a batch of one. "
            f"Received: shape={images.shape}"
        )
    if not callable(layer):
        raise ValueError(
            "`layer` must be a Keras layer, or a function of a batch of "
            f"images. Received: layer={layer!r}"
        )
    check_int(num_views, "num_views")
    if titles is not None and len(titles) != len(images):
        raise ValueError(
            f"`titles` must hold {len(images)} titles, one for each image. "
            f"Received: titles={titles}"
        )
    if value_range is None:
        value_range = getattr(layer, "value_range", None)
    value_range = resolve_value_range(value_range, images)
    options = {"training": True} if isinstance(layer, keras.Layer) else {}
    views = [layer(images, **options) for _ in range(num_views)]
    columns = [images, *map(keras.ops.convert_to_numpy, views)]
    return image_grid(
        list(zip(*columns, strict=True)),
        value_range,
        row_titles=titles and list(titles),
        column_titles=["original"]
        + [f"view {number + 1}" for number in range(num_views)],
        side=1.1,
    )
