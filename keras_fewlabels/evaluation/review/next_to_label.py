import math

import numpy as np

from keras_fewlabels.data.review import image_rows
from keras_fewlabels.data.sources import image_source, labeled_arrays
from keras_fewlabels.evaluation.checks import check_run, checked_label_rows
from keras_fewlabels.evaluation.features import (
    features_and_probabilities,
    predicted_probabilities,
)
from keras_fewlabels.evaluation.prediction_progress import progress_over
from keras_fewlabels.evaluation.review.cover_uncertainty import (
    cover_uncertainty,
)
from keras_fewlabels.evaluation.review.label_proposals import LabelProposals
from keras_fewlabels.evaluation.review.nearest_neighbors import (
    centred_directions,
)
from keras_fewlabels.foundation import check_class_names, check_int
from keras_fewlabels.policies.parts import (
    ClassScores,
    Sigmoids,
    num_several_labels,
)

# The largest share of a class in the proposals, in means of all classes.
_MOST_PER_CLASS = 2


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
    of the model, beside the labelled images. A class or a kind of image is not
    proposed more often because the pool has more of it: where images lie dense
    each counts less, and no class is predicted for more than twice its even
    share of the proposals while there are others.

    Of a model with a sigmoid for each of several labels, an image is as
    uncertain as its labels are on average, and those count more that need
    labels. It is proposed for the label that is most in question.

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
    if validation_data is not None:
        validation_data = labeled_arrays(validation_data, "validation_data")
    labeled_source = image_source(labeled[0], "labeled")
    num_passes = 1 if feature_model is None else 2
    sources = num_passes * [pool, labeled_source]
    sources += [] if validation_data is None else [validation_data[0]]
    progress = progress_over(sources, batch_size, 1, verbose)
    several = num_several_labels(model) is not None
    kind = Sigmoids(False) if several else ClassScores(False)
    features, probabilities = features_and_probabilities(
        model, pool, batch_size, feature_model, progress, several
    )
    num_classes = probabilities.shape[1]
    check_class_names(class_names, num_classes)
    labels = checked_label_rows(
        labeled[1], "labels of labeled", kind, num_classes
    )
    labeled_features, _ = features_and_probabilities(
        model, labeled_source, batch_size, feature_model, progress, several
    )
    # Classes with few labels need more, and so do those with many errors.
    need = 1 / (labels.sum(axis=0, dtype="float64") + 1)
    if validation_data is not None:
        need = need * _error_rates(
            model, validation_data, kind, num_classes, batch_size, progress
        )
    judge = _judged_labels if several else _judged_classes
    return _proposals(
        pool,
        judge(probabilities, need / need.mean()),
        centred_directions(np.concatenate([features, labeled_features])),
        count,
        several,
        num_classes,
        class_names,
    )


def _judged_classes(probabilities, need):
    """Returns what the predictions say of images of one class each.

    Args:
        probabilities: Float array `(num_images, num_classes)`.
        need: Float array `(num_classes,)`, the need for labels, 1 on average.

    Returns:
        Four arrays `(num_images,)`: the predicted class, its probability, the
        uncertainty, and the need of the likely classes.
    """
    second, first = np.sort(probabilities, axis=1)[:, -2:].T
    predicted = probabilities.argmax(axis=1)
    return predicted, first, 1 - (first - second), probabilities @ need


def _judged_labels(probabilities, need):
    """Returns what the predictions say of images of several labels.

    It is what `_judged_classes` returns, with the label that is most in
    question in place of the predicted class, the mean uncertainty of the
    labels, and the need of those that are uncertain.
    """
    # 1 where yes and no are equally likely.
    doubts = 1 - np.abs(2 * probabilities - 1)
    asked = (doubts * need).argmax(axis=1)
    confidence = probabilities[np.arange(len(asked)), asked]
    shares = doubts / np.maximum(doubts.sum(axis=1, keepdims=True), 1e-12)
    return asked, confidence, doubts.mean(axis=1), shares @ need


def _proposals(
    pool, judged, directions, count, several, num_classes, class_names
):
    predicted, confidence, uncertainty, class_need = judged
    chosen, gains, distances = cover_uncertainty(
        directions[: len(pool)],
        uncertainty * class_need,
        directions[len(pool) :],
        count,
        groups=predicted,
        most_per_group=math.ceil(_MOST_PER_CLASS * count / num_classes),
    )
    images = pool.take(chosen)
    return LabelProposals(
        indices=chosen,
        predicted=predicted[chosen],
        confidence=confidence[chosen],
        uncertainty=uncertainty[chosen],
        distance=distances,
        class_need=class_need[chosen],
        gain=gains,
        images=images,
        rows=image_rows(pool, chosen, images),
        num_classes=num_classes,
        class_names=class_names,
        several_labels=several,
    )


def _error_rates(
    model, validation_data, kind, num_classes, batch_size, progress
):
    """Returns the share of the images of each class that are not found."""
    images, labels = validation_data
    rows = checked_label_rows(
        labels, "labels of validation_data", kind, num_classes
    )
    source = image_source(images, "validation_data")
    probabilities = predicted_probabilities(
        model, source, batch_size, progress, not kind.one_true
    )
    found = kind.label_rows(kind.decide(probabilities), num_classes)
    # With one wrong image of two added, a class without images has one half.
    num_wrong = (rows * (1 - found)).sum(axis=0, dtype="float64") + 1
    return num_wrong / (rows.sum(axis=0, dtype="float64") + 2)
