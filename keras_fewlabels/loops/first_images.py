import keras
import numpy as np


def first_images(x, y, limit):
    """The first images of some data, with all that goes with them.

    Args:
        x: Array of images, or nested arrays; or, if `y` is `None`, a dataset
            of batches, of which the first one is drawn.
        y: Array of labels, or `None`.
        limit: Int, how many images are enough.

    Returns:
        Tuple of arrays, what `train_on_batch()` takes. Their dtypes are those
        that `fit()` would make of them.

    Raises:
        ValueError: If there is no image, or not one label for each.

    Example:

    >>> from keras_fewlabels.loops.first_images import first_images
    >>> images, labels = first_images(np.zeros((9, 4, 4, 3)), np.arange(9), 2)
    >>> images.shape, labels
    ((2, 4, 4, 3), array([0, 1]))
    """
    data = (x, y)
    if y is None and not isinstance(x, np.ndarray | dict):
        # A PyDataset, counted or not, has no iterator.
        batches = [x[0]] if isinstance(x, keras.utils.PyDataset) else x
        data = next(iter(batches), np.zeros(0))
    x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
    arrays = keras.tree.map_structure(
        lambda array: _as_in_fit(array[:limit]),
        tuple(part for part in (x, y, weight) if part is not None),
    )
    lengths = {len(array) for array in keras.tree.flatten(arrays)}
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(
            "There must be one image or more, and one label for each. "
            f"Received: arrays of lengths {sorted(lengths)}"
        )
    return arrays


def _as_in_fit(array):
    array = keras.ops.convert_to_numpy(array)
    if array.dtype.kind == "f":
        return array.astype(keras.config.floatx())
    return array
