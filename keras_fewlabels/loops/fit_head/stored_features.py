"""Features of images, computed once and kept in memory."""

import functools
import operator

import keras
import numpy as np

from keras_fewlabels.data.sources import (
    image_source,
    is_dataset,
    read_elements,
)
from keras_fewlabels.foundation import batch_size_for, predict_array

# Images that are in memory at a time.
_PIECE = 1024


def stored_features(extractor, data, argument, batch_size=None, verbose=0):
    """Computes the features of all images, and collects their labels.

    Args:
        extractor: Model that maps images to features, called in inference
            mode.
        data: Pair `(x, y)` or triple `(x, y, sample_weight)` of arrays, or a
            finite `tf.data.Dataset` or `PyDataset` of such batches.
        argument: String, the name of the argument in errors.
        batch_size: Int, for arrays. Defaults to 32.
        verbose: 0, 1 or 2, as for `keras.utils.Progbar`.

    Returns:
        Triple of arrays, features, labels and sample weights (`None` without
        any), and the number of images in a batch: `batch_size`, or the size
        of the first batch.

    Raises:
        ValueError: If there is no image, or not one label per image, or if
            the dataset has no end.
    """
    if is_dataset(data):
        batches, num_images = read_elements(data, argument), None
        predict = extractor.predict_on_batch
    else:
        _check_arrays(data, argument)
        batches, num_images = _slices(data, _PIECE), len(data[0])
        batch_size = batch_size or min(32, num_images)
        predict = functools.partial(
            predict_array, extractor, batch_size=batch_size
        )
    bar = keras.utils.Progbar(num_images, verbose=verbose, unit_name="image")
    columns = []
    for batch in batches:
        images, *rest = keras.utils.unpack_x_y_sample_weight(batch)
        columns.append((predict(images), *rest))
        bar.add(len(columns[-1][0]))
    if not columns:
        raise ValueError(
            f"`{argument}` must hold at least one image. "
            f"Received: {argument} without any"
        )
    features, labels, weights = map(_concatenate, zip(*columns, strict=True))
    bar.update(len(features), finalize=True)
    _check_labels(len(features), labels)
    return (features, labels, weights), batch_size or len(columns[0][0])


def unlabeled_features(extractor, unlabeled, verbose=0):
    """Computes the features of unlabelled images.

    Args:
        extractor: As for `stored_features`.
        unlabeled: As for `data.sources.image_source`.
        verbose: 0, 1 or 2, as for `keras.utils.Progbar`.

    Returns:
        Array of features.
    """
    source = image_source(unlabeled)
    bar = keras.utils.Progbar(len(source), verbose=verbose, unit_name="image")
    features = []
    batch_size = batch_size_for(source.shape)
    for piece in source.pieces_to_predict(batch_size):
        features.append(predict_array(extractor, piece, batch_size))
        bar.add(len(piece))
    return np.concatenate(features)


def _check_arrays(data, argument):
    if not isinstance(data, tuple | list) or len(data) not in (2, 3):
        raise ValueError(
            f"`{argument}` must be a pair (images, labels) of arrays, or a "
            "`tf.data.Dataset` or `keras.utils.PyDataset` of such batches. A "
            f"head needs labels. Received: {argument} of type "
            f"{type(data).__name__}"
        )
    _check_labels(len(data[0]), data[1:])


def _slices(arrays, batch_size):
    for start in range(0, len(arrays[0]), batch_size):
        rows = slice(start, start + batch_size)
        yield keras.tree.map_structure(operator.itemgetter(rows), tuple(arrays))


def _check_labels(num_images, labels):
    shapes = [np.shape(part) for part in keras.tree.flatten(labels)]
    if any(shape[:1] != (num_images,) for shape in shapes):
        raise ValueError(
            "A head needs labels, one label per image. "
            f"Received: labels of shapes {shapes} for {num_images} images"
        )


def _concatenate(batches):
    return keras.tree.map_structure(
        lambda *parts: (
            None
            if parts[0] is None
            else np.concatenate(list(map(keras.ops.convert_to_numpy, parts)))
        ),
        *batches,
    )
