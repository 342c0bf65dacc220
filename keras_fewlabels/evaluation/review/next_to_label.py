import numpy as np

from keras_fewlabels.data.checks.labels import check_labels, class_numbers
from keras_fewlabels.data.review.image_table import image_rows
from keras_fewlabels.data.sources.image_source import image_source
from keras_fewlabels.data.sources.labeled_arrays import labeled_arrays
from keras_fewlabels.evaluation.checks import check_run
from keras_fewlabels.evaluation.features import (
    features_and_probabilities,
    predicted_probabilities,
)
from keras_fewlabels.evaluation.prediction_progress import progress_over
from keras_fewlabels.evaluation.review.label_proposals import LabelProposals
from keras_fewlabels.evaluation.review.nearest_neighbors import (
    centred_directions,
)
from keras_fewlabels.foundation.arguments import check_int
from keras_fewlabels.foundation.text_table import check_class_names

# The number of images that are to be covered, and of similarities in memory.
_MAX_COVERED = 2**14
_MAX_SIMILARITIES = 2**25


def next_to_label(
    model,
    labeled,
    unlabeled,
    count=20,
    *,
    validation_data=None,
    class_names=None,
    feature_model=None,
    paths=None,
    batch_size=256,
    verbose="auto",
):
    """Proposes the images whose labels would help the model most.

    A label of an image that the model is sure of teaches it little, and so
    does a second label of two similar images. An image is uncertain if its two
    likeliest classes are about equally likely, and it counts more if its
    likely classes need labels: those with few labels and, with
    `validation_data`, those with many errors. The proposed images are those
    that together represent most of this weighted uncertainty, in the features
    of the model, beside the labelled images.

    Write labels into the file that the proposal saves, and read them with
    `data.read_new_labels`; or move the files into the folders of their
    classes. Then train and ask again.

    Reference:
        - [Wei et al., 2015](https://proceedings.mlr.press/v37/wei15.html),
          facility location for active learning. Here weighted by the margin
          of [Scheffer et al., 2001](https://doi.org/10.1007/3-540-44816-0_31)
          and by the need of the class.

    Args:
        model: Keras classifier, compiled or not, that returns logits or
            probabilities. Of a `NoisyStudentModel` the student is used.
        labeled: The labelled images: a pair of arrays `(images, labels)`, or
            a dataset of such pairs.
        unlabeled: Array of images `(num_images, height, width, channels)`,
            also memory-mapped, or an object that is indexed like one; or a
            `tf.data.Dataset` or `PyDataset` of images in a fixed order.
        count: Int, the number of images to propose.
        validation_data: Optional images with labels, as `labeled`, on which
            the errors of each class are counted. Do not pass the test data.
        class_names: Optional sequence of strings, one per class.
        feature_model: Optional Keras model whose outputs are the features. By
            default they are the input of the model's last `Dense` layer.
        paths: Optional sequence of a path per image, which the saved file
            holds. Defaults to the `file_paths` of the images.
        batch_size: Int, the number of images that are predicted at a time.
        verbose: `"auto"`, 0, 1, or 2, as in `fit`. 0 draws no progress bar.

    Returns:
        A `LabelProposals` with the ranking in `indices`. It can be printed,
        drawn by `figure()`, and written by `save(folder)`.

    Raises:
        ValueError: If an argument has another form than above, the model
            returns other than finite scores, or there are fewer images than
            `count`.

    Example:

    >>> model = keras.Sequential(
    ...     [
    ...         keras.Input((1, 1, 2)),
    ...         keras.layers.Flatten(),
    ...         keras.layers.Dense(2, "softmax", kernel_initializer="identity"),
    ...     ]
    ... )
    >>> images = np.array([[9, 0], [0, 9], [3, 2], [0, 8]])
    >>> images = images.reshape(4, 1, 1, 2).astype("float32")
    >>> proposals = keras_fewlabels.evaluation.next_to_label(
    ...     model, (images[:2], [0, 1]), images, count=1, verbose=0
    ... )
    >>> proposals.indices  # The only one that could be of either class.
    array([2])
    """
    check_run(model, batch_size)
    check_int(count, "count")
    labeled = labeled_arrays(labeled, "labeled")
    pool = image_source(unlabeled, paths=paths)
    if count > len(pool):
        raise ValueError(
            "`count` must not exceed the number of unlabelled images. "
            f"Received: count={count} for {len(pool)} images"
        )
    labeled_source = image_source(labeled[0], "labeled")
    num_passes = 1 if feature_model is None else 2
    sources = num_passes * [pool, labeled_source]
    if validation_data is not None:
        validation_data = labeled_arrays(validation_data, "validation_data")
        sources.append(validation_data[0])
    progress = progress_over(sources, batch_size, 1, verbose)
    features, probabilities = features_and_probabilities(
        model, pool, batch_size, feature_model, progress
    )
    num_classes = probabilities.shape[1]
    check_class_names(class_names, num_classes)
    check_labels(labeled[1], "labels of labeled", num_classes=num_classes)
    labeled_features, _ = features_and_probabilities(
        model, labeled_source, batch_size, feature_model, progress
    )
    # Classes with few labels need more, and so do those with many errors.
    need = 1 / (_class_counts(labeled[1], num_classes) + 1)
    if validation_data is not None:
        images, truth = validation_data
        check_labels(
            truth, "labels of validation_data", num_classes=num_classes
        )
        source = image_source(images, "validation_data")
        predicted = predicted_probabilities(model, source, batch_size, progress)
        need = need * _error_rates(predicted.argmax(axis=1), truth, num_classes)
    second, first = np.sort(probabilities, axis=1)[:, -2:].T
    uncertainty = 1 - (first - second)
    class_need = probabilities @ (need / need.mean())
    directions = centred_directions(
        np.concatenate([features, labeled_features])
    )
    chosen, gains, distances = cover_uncertainty(
        directions[: len(pool)],
        uncertainty * class_need,
        directions[len(pool) :],
        count,
    )
    images = pool.take(chosen)
    return LabelProposals(
        chosen,
        probabilities.argmax(axis=1)[chosen],
        uncertainty[chosen],
        distances,
        class_need[chosen],
        gains,
        images,
        image_rows(pool, chosen, images),
        class_names,
    )


def _class_counts(labels, num_classes):
    return np.bincount(class_numbers(labels), minlength=num_classes)


def _error_rates(predicted, labels, num_classes):
    labels = class_numbers(labels)
    num_wrong = _class_counts(labels[predicted != labels], num_classes)
    # With one wrong image of two added, a class without images has one half.
    return (num_wrong + 1) / (_class_counts(labels, num_classes) + 2)


def cover_uncertainty(directions, weights, labeled, count):
    """Chooses images that together cover most of the uncertainty.

    A labelled or chosen image covers each other image by their cosine. Each
    choice is the image that adds most to the sum, over all images, of weight
    times coverage. So the chosen images are near many uncertain ones, and
    differ from the labelled images and from each other.

    Reference:
        - [Wei et al., 2015](https://proceedings.mlr.press/v37/wei15.html),
          facility location for active learning. Here weighted by uncertainty.

    Args:
        directions: Float array of shape `(num_images, num_features)`, rows of
            length 1.
        weights: Float array of shape `(num_images,)`, the uncertainty of each
            image, 0 or more.
        labeled: Float array of shape `(num_labeled, num_features)`, the
            directions of labelled images.
        count: Int, at most `num_images`.

    Returns:
        `(indices, gains, distances)`, arrays of shape `(count,)`, in the order
        of choice: the share of all weight that each covers, and 1 minus its
        cosine to the nearest image that is labelled or chosen before. Of more
        than 16,384 images, only the most uncertain are to be covered.
    """
    order = np.argsort(-weights, kind="stable")
    covered = order[:_MAX_COVERED]
    num_candidates = max(count, _MAX_SIMILARITIES // len(covered))
    candidates = order[:num_candidates]
    similarity = directions[covered] @ directions[candidates].T
    np.maximum(similarity, 0, out=similarity)
    reach = _nearest(directions[covered], labeled)
    nearest = _nearest(directions[candidates], labeled)
    shares = weights[covered] / max(weights[covered].sum(), 1e-12)
    chosen, gains, distances = [], [], []
    for _ in range(count):
        gain = np.maximum(similarity - reach[:, None], 0)
        gain = np.einsum("i,ij->j", shares, gain)
        gain[chosen] = -1
        best = int(gain.argmax())
        chosen.append(best)
        gains.append(gain[best])
        distances.append(1 - nearest[best])
        reach = np.maximum(reach, similarity[:, best])
        cosines = directions[candidates] @ directions[candidates[best]]
        nearest = np.maximum(nearest, cosines)
    return candidates[chosen], np.array(gains), np.array(distances)


def _nearest(directions, labeled):
    """Returns the largest cosine to a labelled image, at least 0."""
    if not len(labeled):
        return np.zeros(len(directions), "float32")
    return np.maximum((directions @ labeled.T).max(axis=1), 0)
