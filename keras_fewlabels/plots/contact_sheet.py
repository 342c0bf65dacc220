import numpy as np

from keras_fewlabels.foundation import check_int, resolve_value_range
from keras_fewlabels.plots.image_grid import image_grid, in_rows

# Images that a person looks at in one go.
MAX_IMAGES = 1000


def contact_sheet(
    images, captions, title=None, *, num_columns=10, value_range=None
):
    """Draws many images in the given order, each with a caption below.

    Args:
        images: Array of shape `(num_images, height, width, channels)` with 1
            or 3 channels, of uint8 or floats; 1,000 images at most.
        captions: Sequence of a string per image, of one or more lines.
        title: Optional string, above all images.
        num_columns: Int, the number of images in a row.
        value_range: Pair of floats, the values of black and white. Defaults
            to `(0, 255)` for uint8, and for floats to the narrowest of
            `(0, 1)`, `(-1, 1)` and `(0, 255)` that holds all values. Values
            beyond are drawn as black or white.

    Returns:
        A `matplotlib.figure.Figure`. `figure.savefig("sheet.png")` writes it;
        pyplot does not manage it, and nothing is shown.

    Raises:
        ValueError: If images have another shape, no range holds all their
            values, or there is not one caption per image.
        ImportError: If matplotlib is not installed.

    Example:

    >>> images = np.zeros((3, 8, 8, 1), "uint8")
    >>> figure = keras_fewlabels.plots.contact_sheet(
    ...     images, ["cat", "dog?", "cat"], title="Wrong labels?"
    ... )
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['cat', 'dog?', 'cat', 'Wrong labels?']
    """
    images = np.asarray(images)
    is_images = images.ndim == 4 and images.shape[-1] in (1, 3)
    if not is_images or not 0 < len(images) <= MAX_IMAGES:
        raise ValueError(
            "`images` must have the shape (num_images, height, width, "
            f"channels), with 1 or 3 channels and 1 to {MAX_IMAGES:,} images. "
            f"Received: shape={images.shape}"
        )
    value_range = resolve_value_range(value_range, images)
    if isinstance(captions, str) or len(captions) != len(images):
        raise ValueError(
            "`captions` must hold one string per image. "
            f"Received: {len(captions)} captions for {len(images)} images"
        )
    check_int(num_columns, "num_columns")
    return image_grid(
        in_rows(images, num_columns),
        value_range,
        captions=list(map(str, captions)),
        title=title,
    )
