import keras
import numpy as np

from keras_fewlabels.data.checks import check_input_shape
from keras_fewlabels.data.review import image_rows
from keras_fewlabels.data.sources import image_source
from keras_fewlabels.evaluation.features import flat_features
from keras_fewlabels.evaluation.prediction_progress import progress_over
from keras_fewlabels.evaluation.review.cover_uncertainty import (
    cover_uncertainty,
)
from keras_fewlabels.evaluation.review.first_proposals import FirstProposals
from keras_fewlabels.evaluation.review.nearest_neighbors import (
    centred_directions,
)
from keras_fewlabels.foundation import (
    check_class_names,
    check_int,
    head_input,
    predict_array,
    resolve_value_range,
)
from keras_fewlabels.models.classifier import classifier

# More images than these are too many for the similarities of all pairs.
_MAX_IMAGES = 2**14


def first_to_label(
    unlabeled,
    count=20,
    *,
    backbone="EfficientNetV2B0",
    class_names=None,
    feature_model=None,
    value_range=None,
    paths=None,
    batch_size=64,
    verbose="auto",
):
    """Proposes the images to label first, when there are no labels at all.

    Labels are worth most on images that are typical of many others, and that
    differ from each other. Each proposal is the image that is nearest to the
    images that no earlier one is near to, in the features of a network that
    comes trained. With 4 labels per class on average, a logistic regression
    had 64.0 % on photographs of flowers, waste and hands, and 54.3 % with
    labels of images drawn at random. These are means over five splits, in
    each of which the proposals were better.

    Of more than 16,384 images, as many are drawn.

    Reference:
        - [Wei et al., 2015](https://proceedings.mlr.press/v37/wei15.html),
          facility location.

    Args:
        unlabeled: Array of images `(num_images, height, width, channels)`, or
            an object that is indexed like one, such as `data.ImageFiles`; or
            a `tf.data.Dataset` or `PyDataset` of images in a fixed order.
        count: Int, the number of images to propose.
        backbone: The name of a network of `keras.applications`, or what else
            `models.classifier` makes a classifier of.
        class_names: Optional sequence of strings, one per class. Without
            them, the page lets you type the names; of several labels per
            image all that are true, with `;` between.
        feature_model: Optional Keras model that gives the features in place of
            a backbone, `(batch, num_features)` or maps, which are averaged.
        value_range: Optional pair of floats, the values of black and white.
            By default found out from the images.
        paths: Optional sequence of a path per image, which the table holds.
            Defaults to the `file_paths` of the images.
        batch_size: Int, the number of images that are predicted at a time.
        verbose: `"auto"`, 0, 1, or 2, as in `fit`. 0 draws no progress bar.

    Returns:
        A `FirstProposals`. It can be printed, drawn by `figure()`, and written
        by `save(folder)`, with a page on which a key labels an image.

    Raises:
        ValueError: If there are fewer images than `count`, or the backbone
            does not take the images.

    Example:

    >>> network = keras.Sequential(
    ...     [keras.Input((1, 1, 2)), keras.layers.Flatten()]
    ... )
    >>> images = np.array([[9, 0], [8, 1], [0, 9], [1, 8], [0, 8]], "float32")
    >>> proposals = keras_fewlabels.evaluation.first_to_label(
    ...     images.reshape(5, 1, 1, 2), 2, feature_model=network, verbose=0
    ... )
    >>> sorted(proposals.indices.tolist())  # One of each kind.
    [0, 2]
    """
    check_int(count, "count")
    check_int(batch_size, "batch_size")
    check_class_names(class_names)
    pool = image_source(unlabeled, paths=paths)
    if count > len(pool):
        raise ValueError(
            "`count` must not exceed the number of unlabelled images. "
            f"Received: count={count} for {len(pool)} images"
        )
    drawn = np.random.default_rng(0).permutation(len(pool))[:_MAX_IMAGES]
    if feature_model is None:
        feature_model = _network(backbone, pool, value_range)
    check_input_shape(
        feature_model, np.empty((0, *pool.shape)), "feature_model"
    )
    features = _features(feature_model, pool, drawn, batch_size, verbose)
    directions = centred_directions(features)
    chosen, gains, distances = cover_uncertainty(
        directions,
        np.ones(len(drawn), "float32"),
        directions[:0],
        count,
        evens_out=False,
    )
    indices = drawn[chosen]
    images = pool.take(indices)
    return FirstProposals(
        indices=indices,
        gain=gains,
        distance=distances,
        images=images,
        rows=image_rows(pool, indices, images),
        class_names=None if class_names is None else list(class_names),
    )


def _network(backbone, pool, value_range):
    """Returns a backbone with its preprocessing inside, and without a head."""
    model = classifier(
        backbone,
        # A classifier has two classes at least.
        2,
        pool.shape[:2],
        value_range=resolve_value_range(
            value_range, pool.first(8), "unlabeled"
        ),
        color_mode="grayscale" if pool.shape[-1] == 1 else "rgb",
    )
    return keras.Model(model.inputs, head_input(model))


def _features(network, pool, drawn, batch_size, verbose):
    """Returns the features of the drawn images, in the order of the draw."""
    is_drawn = np.isin(np.arange(len(pool)), drawn)
    progress = progress_over([drawn], batch_size, 1, verbose)
    callbacks = [progress] if progress else None
    pieces, start = [], 0
    for images in pool.pieces_to_predict(batch_size):
        here = is_drawn[start : start + len(images)]
        start += len(images)
        if not here.any():
            continue
        images = images[here]
        pieces.append(predict_array(network, images, batch_size, callbacks))
    features = flat_features(np.concatenate(pieces))
    return features[np.argsort(np.argsort(drawn))]
