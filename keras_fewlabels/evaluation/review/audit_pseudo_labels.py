import numpy as np

from keras_fewlabels.callbacks.pseudo_labeler import PseudoLabeler
from keras_fewlabels.data.checks.images import as_array
from keras_fewlabels.data.checks.labels import check_labels, class_numbers
from keras_fewlabels.data.review.image_table import image_rows
from keras_fewlabels.data.sources.image_pool import ImagePool
from keras_fewlabels.data.sources.labeled_arrays import labeled_arrays
from keras_fewlabels.evaluation.checks import (
    check_run,
    checked_pseudo_labels,
)
from keras_fewlabels.evaluation.features import features_and_probabilities
from keras_fewlabels.evaluation.review.nearest_neighbors import neighbor_votes
from keras_fewlabels.evaluation.review.pseudo_label_audit import (
    PseudoLabelAudit,
    suspicion,
)
from keras_fewlabels.foundation.arguments import check_int
from keras_fewlabels.foundation.text_table import check_class_names

# A neighbour whose label is true counts as much as so many others.
_WEIGHT_OF_TRUTH = 3


def audit_pseudo_labels(
    model,
    unlabeled,
    labeled=None,
    pseudo_labels=None,
    history=None,
    num_neighbors=20,
    num_shown=100,
    class_names=None,
    feature_model=None,
    paths=None,
    batch_size=256,
):
    """Finds the pseudo-labels that are likeliest wrong, for you to look at.

    A model that is sure and wrong does not say so. But images that it sees as
    alike should have one label: where the nearest neighbours in its features
    are of another class, the label is doubtful, however sure the model is. So
    is a label that flips from round to round. What you see to be wrong, you
    veto: the file that the audit saves is obeyed by `PseudoLabeler(veto=...)`
    and `data.without_vetoed`.

    The agreement of a label is the mean probability that its nearest
    neighbours give it, weighted by the square of the cosine to them; labelled
    images count three times, with their labels. Time grows with the square of
    the number of images.

    Reference:
        - [Wilson, 1972](https://ieeexplore.ieee.org/document/4309137), edited
          nearest neighbours; here with probabilities, in learnt features, and
          to rank instead of to remove.

    Args:
        model: Keras classifier, compiled or not, that gives logits or
            probabilities. Of a `NoisyStudentModel` it is the student.
        unlabeled: Array of images `(num_images, height, width, channels)`,
            also memory-mapped or read when indexed; or a `tf.data.Dataset` or
            `PyDataset` of images in a fixed order.
        labeled: Optional labelled images, which are neighbours, too: a pair
            of arrays `(images, labels)`, or a dataset of such pairs.
        pseudo_labels: Optional int array `(num_images,)`, the pseudo-labels,
            -1 where there is none. Defaults to those of the `PseudoLabeler`
            in `history`, otherwise to what the model predicts.
        history: Optional `PseudoLabeler` after its fit; or a sequence of int
            arrays `(num_images,)`, the labels of each round, -1 for none.
        num_neighbors: Int, how many neighbours vote.
        num_shown: Int, how many images the gallery and the veto file hold.
        class_names: Optional sequence of strings, one per class.
        feature_model: Optional Keras model whose outputs are the features. By
            default they are the input of the model's last `Dense` layer.
        paths: Optional sequence of a path per image, by which the veto file
            knows it. Defaults to the `file_paths` that the images have.
        batch_size: Int, images that are predicted at a time.

    Returns:
        A `PseudoLabelAudit`.

    Raises:
        ValueError: If an argument is not as above, or no image has a
            pseudo-label.

    Example:

    >>> model = keras.Sequential(  # It is sure of what it sees.
    ...     [
    ...         keras.Input((1, 1, 2)),
    ...         keras.layers.Flatten(),
    ...         keras.layers.Dense(2, "softmax", kernel_initializer="identity"),
    ...     ]
    ... )
    >>> truth = np.repeat([0, 1], 30)
    >>> images = 9 * np.eye(2)[truth].reshape(60, 1, 1, 2)
    >>> labels = truth.copy()
    >>> labels[7] = 1  # Images like it have another label.
    >>> audit = keras_fewlabels.evaluation.audit_pseudo_labels(
    ...     model, images, pseudo_labels=labels
    ... )
    >>> print(audit.indices[0], audit.neighbor_labels[0])
    7 0
    """
    check_run(model, batch_size, 0)
    check_int(num_neighbors, "num_neighbors")
    check_int(num_shown, "num_shown")
    pool = ImagePool(unlabeled, paths=paths)
    flip_rate = label_flip_rate(history, len(pool))
    if pseudo_labels is None and isinstance(history, PseudoLabeler):
        pseudo_labels = history.labels
    labels = checked_pseudo_labels(pseudo_labels, len(pool))
    if labeled is not None:
        labeled = labeled_arrays(labeled, "labeled")
    features, probabilities = features_and_probabilities(
        model, pool, batch_size, feature_model
    )
    num_classes = probabilities.shape[1]
    check_class_names(class_names, num_classes)
    labels = probabilities.argmax(axis=1) if labels is None else labels
    _check_range(labels, num_classes)
    votes, weights = probabilities, np.ones(len(pool), "float32")
    if labeled is not None:
        check_labels(labeled[1], "labels of labeled", num_classes=num_classes)
        more, _ = features_and_probabilities(
            model, ImagePool(labeled[0], "labeled"), batch_size, feature_model
        )
        features = np.concatenate([features, more])
        truth = np.eye(num_classes, dtype="float32")[class_numbers(labeled[1])]
        votes = np.concatenate([votes, truth])
        known = np.full(len(truth), _WEIGHT_OF_TRUTH, "float32")
        weights = np.concatenate([weights, known])
    votes = neighbor_votes(features, votes, weights, len(pool), num_neighbors)
    audited = np.flatnonzero(labels >= 0)
    agreement = votes[audited, labels[audited]]
    flip_rate = flip_rate[audited]
    # Of two labels that are equally doubtful, the surer one comes first.
    confidence = probabilities[audited, labels[audited]]
    order = np.lexsort((-confidence, -suspicion(agreement, flip_rate)))
    ranked = audited[order]
    images = pool.take(ranked[:num_shown])
    return PseudoLabelAudit(
        ranked,
        labels[ranked],
        confidence[order],
        agreement[order],
        votes.argmax(axis=1)[ranked],
        flip_rate[order],
        images,
        image_rows(pool, ranked[:num_shown], images),
        class_names,
    )


def _check_range(labels, num_classes):
    if labels.max() >= num_classes:
        raise ValueError(
            f"`pseudo_labels` must be classes of the model, -1 to "
            f"{num_classes - 1}. Received: maximum={labels.max()}"
        )


def label_flip_rate(history, num_images):
    """In how many of the rounds after the first each label was another one.

    Args:
        history: `PseudoLabeler` after its fit; or a sequence of int arrays
            `(num_images,)`, the labels of each round, -1 where there is none;
            or `None`, without which no label flips.
        num_images: Int.

    Returns:
        Float array of shape `(num_images,)`, in 0 to 1. A label is compared
        to the one the image had last, rounds without one left out.

    Raises:
        ValueError: If the history is that of other images.
    """
    if history is None:
        return np.zeros(num_images)
    if isinstance(history, PseudoLabeler):
        changes, num_rounds = history.num_changes, len(history.rounds)
        if len(changes) != num_images:
            raise _wrong_history(f"of {len(changes)} images", num_images)
        return changes / max(1, num_rounds - 1)
    rounds = [as_array(each, "history") for each in history]
    shapes = {each.shape for each in rounds}
    if shapes != {(num_images,)} or any(r.dtype.kind != "i" for r in rounds):
        raise _wrong_history(f"of shapes {sorted(shapes)}", num_images)
    last, changes = rounds[0].copy(), np.zeros(num_images)
    for labels in rounds[1:]:
        kept = labels >= 0
        changes += kept & (last >= 0) & (labels != last)
        last[kept] = labels[kept]
    return changes / max(1, len(rounds) - 1)


def _wrong_history(received, num_images):
    return ValueError(
        "`history` must be a `PseudoLabeler` after its fit, or an int array "
        f"of labels per round, each of shape ({num_images},). "
        f"Received: a history {received}"
    )
