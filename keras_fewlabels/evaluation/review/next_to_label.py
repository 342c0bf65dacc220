import numpy as np

from keras_fewlabels.data.checks.labels import check_labels, class_numbers
from keras_fewlabels.data.review.image_table import image_rows
from keras_fewlabels.data.sources.image_pool import ImagePool
from keras_fewlabels.data.sources.labeled_arrays import labeled_arrays
from keras_fewlabels.evaluation.checks import check_run
from keras_fewlabels.evaluation.features import (
    features_and_probabilities,
    predicted_probabilities,
)
from keras_fewlabels.evaluation.review.label_proposals import LabelProposals
from keras_fewlabels.evaluation.review.nearest_neighbors import (
    centred_directions,
)
from keras_fewlabels.foundation.arguments import check_int
from keras_fewlabels.foundation.text_table import check_class_names


def next_to_label(
    model,
    unlabeled,
    labeled,
    count=20,
    validation_data=None,
    class_names=None,
    feature_model=None,
    paths=None,
    batch_size=256,
):
    """Proposes the images whose labels would help the model most.

    Labels of images that the model is sure of teach it little, and so do two
    labels of images that look alike. Each image is uncertain by how close its
    two likeliest classes are, and weighs by how much its likely classes need
    labels: those with few labels and, with `validation_data`, those with many
    errors. The proposed images are the ones that together stand for most of
    this weight, in the features of the model, beside the labelled ones.

    Write labels into the file that the proposal saves, and read them with
    `data.read_new_labels`; or move the files into the folders of their
    classes. Then train and ask again.

    Reference:
        - [Wei et al., 2015](https://proceedings.mlr.press/v37/wei15.html),
          facility location for active learning; here weighted by the margin
          of [Scheffer et al., 2001](https://doi.org/10.1007/3-540-44816-0_31)
          and by the need of the class.

    Args:
        model: Keras classifier, compiled or not, that gives logits or
            probabilities. Of a `NoisyStudentModel` it is the student.
        unlabeled: Array of images `(num_images, height, width, channels)`,
            also memory-mapped or read when indexed; or a `tf.data.Dataset` or
            `PyDataset` of images in a fixed order.
        labeled: The labelled images: a pair of arrays `(images, labels)`, or
            a dataset of such pairs.
        count: Int, how many images to propose.
        validation_data: Optional images with labels, as `labeled`, on which
            the errors of each class are counted. Not those to test on.
        class_names: Optional sequence of strings, one per class.
        feature_model: Optional Keras model whose outputs are the features. By
            default they are the input of the model's last `Dense` layer.
        paths: Optional sequence of a path per image, by which the file knows
            it. Defaults to the `file_paths` that the images have.
        batch_size: Int, images that are predicted at a time.

    Returns:
        A `LabelProposals`.

    Raises:
        ValueError: If an argument is not as above, or there are fewer images
            than are to be proposed.

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
    ...     model, images, labeled=(images[:2], [0, 1]), count=1
    ... )
    >>> proposals.indices  # The only one that could be of either class.
    array([2])
    """
    check_run(model, batch_size, 0)
    check_int(count, "count")
    pool = ImagePool(unlabeled, paths=paths)
    if count > len(pool):
        raise ValueError(
            "`count` must not exceed the number of unlabelled images. "
            f"Received: count={count} for {len(pool)} images"
        )
    labeled = labeled_arrays(labeled, "labeled")
    if validation_data is not None:
        validation_data = labeled_arrays(validation_data, "validation_data")
    features, probabilities = features_and_probabilities(
        model, pool, batch_size, feature_model
    )
    num_classes = probabilities.shape[1]
    check_class_names(class_names, num_classes)
    check_labels(labeled[1], "labels of labeled", num_classes=num_classes)
    known, _ = features_and_probabilities(
        model, ImagePool(labeled[0], "labeled"), batch_size, feature_model
    )
    need = _class_need(model, labeled, validation_data, num_classes, batch_size)
    second, first = np.sort(probabilities, axis=1)[:, -2:].T
    uncertainty, class_need = 1 - (first - second), probabilities @ need
    directions = centred_directions(np.concatenate([features, known]))
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


def _class_need(model, labeled, validation_data, num_classes, batch_size):
    """How much each class needs labels, around a mean of 1."""
    counts = np.bincount(class_numbers(labeled[1]), minlength=num_classes)
    need = _relative(1 / (counts + 1))
    if validation_data is None:
        return need
    images, labels = validation_data
    check_labels(labels, "labels of validation_data", num_classes=num_classes)
    labels = class_numbers(labels)
    pool = ImagePool(images, "validation_data")
    found = predicted_probabilities(model, pool, batch_size).argmax(axis=1)
    wrong = np.bincount(labels[found != labels], minlength=num_classes)
    # Of one image in two: a class without any is neither good nor bad.
    counts = np.bincount(labels, minlength=num_classes)
    return _relative(need * (wrong + 1) / (counts + 2))


def _relative(values):
    return values / values.mean()


# How many images are to be covered, and similarities held, at most.
_MOST_COVERED = 2**14
_MOST_SIMILARITIES = 2**25


def cover_uncertainty(directions, weights, known, count):
    """Chooses images that together stand for most of what is uncertain.

    An image that is labelled covers each other one by the cosine to it. Each
    choice is the one that adds most to the sum, over all images, of their
    weight times how far they are covered, beside the labelled images and
    those chosen before. So the chosen ones lie where much is uncertain, stand
    for many, and differ from each other.

    Reference:
        - [Wei et al., 2015](https://proceedings.mlr.press/v37/wei15.html),
          facility location for active learning; here weighted by uncertainty.

    Args:
        directions: Float array of shape `(num_images, num_features)`, rows of
            length 1.
        weights: Float array of shape `(num_images,)`, how uncertain each
            image is, 0 or more.
        known: Float array of shape `(num_labeled, num_features)`, the
            directions of labelled images.
        count: Int, at most `num_images`.

    Returns:
        `(indices, gains, distances)`, arrays of shape `(count,)`, in the order
        of choice: the share of all weight that each covers, and 1 minus its
        cosine to the nearest image that is labelled or chosen before. Of more
        than 16,384 images, the most uncertain are covered.
    """
    order = np.argsort(-weights, kind="stable")
    covered = order[:_MOST_COVERED]
    num_candidates = max(count, _MOST_SIMILARITIES // len(covered))
    candidates = order[:num_candidates]
    similarity = directions[covered] @ directions[candidates].T
    np.maximum(similarity, 0, out=similarity)
    reach = _nearest(directions[covered], known)
    nearest = _nearest(directions[candidates], known)
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


def _nearest(directions, known):
    """The largest cosine to a labelled image, 0 without any above."""
    if not len(known):
        return np.zeros(len(directions), "float32")
    return np.maximum((directions @ known.T).max(axis=1), 0)
