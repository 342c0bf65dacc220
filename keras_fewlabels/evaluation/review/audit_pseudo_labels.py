import numpy as np

from keras_fewlabels.callbacks.pseudo_labeler import PseudoLabeler
from keras_fewlabels.data.checks import as_array
from keras_fewlabels.data.review import image_rows
from keras_fewlabels.data.sources import image_source, labeled_arrays
from keras_fewlabels.evaluation.checks import (
    check_run,
    checked_label_rows,
    checked_pseudo_labels,
)
from keras_fewlabels.evaluation.features import features_and_probabilities
from keras_fewlabels.evaluation.prediction_progress import progress_over
from keras_fewlabels.evaluation.review.nearest_neighbors import neighbor_votes
from keras_fewlabels.evaluation.review.pseudo_label_audit import (
    PseudoLabelAudit,
    suspicion,
)
from keras_fewlabels.foundation import (
    check_class_names,
    check_int,
    yes_and_no,
)
from keras_fewlabels.policies.parts import (
    ClassScores,
    Sigmoids,
    num_several_labels,
)

# A neighbour with a true label counts as much as this many others.
_WEIGHT_OF_TRUTH = 3


def audit_pseudo_labels(
    model,
    labeled,
    unlabeled,
    *,
    pseudo_labels=None,
    history=None,
    num_neighbors=20,
    num_shown=100,
    class_names=None,
    feature_model=None,
    paths=None,
    batch_size=256,
    verbose="auto",
):
    """Finds the pseudo-labels that are most likely wrong.

    The confidence of a model does not show its mistakes. But images that are
    alike in the features of the model should have the same label. If the
    nearest neighbours of an image are of another class, its label is doubtful,
    however confident the model is. A label that changes from round to round is
    doubtful too. Look at these images and veto the wrong labels:
    `PseudoLabeler(veto=...)` and `data.without_vetoed` read the file that the
    audit saves.

    The agreement of a label is the mean probability of this label for its
    nearest neighbours, weighted by the square of the cosine to them. Labelled
    images count three times, with their labels. Time grows with the square of
    the number of images.

    Of a model with a sigmoid for each of several labels, every label of an
    image is audited, and the image ranks by its most doubtful one.

    Reference:
        - [Wilson, 1972](https://ieeexplore.ieee.org/document/4309137), edited
          nearest neighbours. Here with probabilities, in learnt features, and
          to rank instead of to remove.

    Args:
        model: Keras classifier, compiled or not, that returns logits or
            probabilities. Of a `NoisyStudentModel` the student is used.
        labeled: The labelled images, which are neighbours, too: a pair of
            arrays `(images, labels)`, a dataset of such pairs, or `None`.
        unlabeled: Array of images `(num_images, height, width, channels)`,
            also memory-mapped, or an object that is indexed like one; or a
            `tf.data.Dataset` or `PyDataset` of images in a fixed order.
        pseudo_labels: Optional int array `(num_images,)`, the pseudo-labels,
            -1 where there is none. Defaults to those of the `PseudoLabeler`
            in `history`, otherwise to the predictions of the model. Several
            labels have the shape `(num_images, num_labels)`, and are 1, 0 or
            -1.
        history: Optional `PseudoLabeler` after its fit; or a sequence of int
            arrays like `pseudo_labels`, those of each round.
        num_neighbors: Int, the number of neighbours that vote.
        num_shown: Int, the number of images in the figure and the veto file.
        class_names: Optional sequence of strings, one per class.
        feature_model: Optional Keras model whose outputs are the features. By
            default they are the input of the model's last `Dense` layer.
        paths: Optional sequence of a path per image, which the veto file
            holds. Defaults to the `file_paths` of the images.
        batch_size: Int, the number of images that are predicted at a time.
        verbose: `"auto"`, 0, 1, or 2, as in `fit`. 0 draws no progress bar.

    Returns:
        A `PseudoLabelAudit` with the ranking in `indices`, `labels`,
        `agreement` and `scores`. It can be printed, drawn by `figure()`, and
        written by `save(folder)`.

    Raises:
        ValueError: If an argument has another form than above, the model
            returns other than finite scores, or no image has a pseudo-label.

    Example:

    >>> model = keras.Sequential(  # Always confident.
    ...     [
    ...         keras.Input((1, 1, 2)),
    ...         keras.layers.Flatten(),
    ...         keras.layers.Dense(2, "softmax", kernel_initializer="identity"),
    ...     ]
    ... )
    >>> truth = np.repeat([0, 1], 30)
    >>> images = 9 * np.eye(2)[truth].reshape(60, 1, 1, 2)
    >>> labels = truth.copy()
    >>> labels[7] = 1  # Images like this one have another label.
    >>> audit = keras_fewlabels.evaluation.audit_pseudo_labels(
    ...     model, None, images, pseudo_labels=labels, verbose=0
    ... )
    >>> print(audit.indices[0], audit.neighbor_labels[0])
    7 0
    """
    check_run(model, batch_size)
    check_int(num_neighbors, "num_neighbors")
    check_int(num_shown, "num_shown")
    known = []
    if labeled is not None:
        labeled = labeled_arrays(labeled, "labeled")
        known = [image_source(labeled[0], "labeled")]
    pool = image_source(unlabeled, paths=paths)
    num_labels = num_several_labels(model)
    kind = ClassScores(False) if num_labels is None else Sigmoids(False)
    flip_rate = label_flip_rate(history, len(pool), num_labels)
    if pseudo_labels is None and isinstance(history, PseudoLabeler):
        pseudo_labels = history.labels
    labels = checked_pseudo_labels(pseudo_labels, len(pool), num_labels)
    num_passes = 1 if feature_model is None else 2
    progress = progress_over([pool, *known], batch_size, num_passes, verbose)

    def predict(source):
        return features_and_probabilities(
            *(model, source, batch_size, feature_model, progress),
            several=not kind.one_true,
        )

    features, probabilities = predict(pool)
    num_classes = probabilities.shape[1]
    check_class_names(class_names, num_classes)
    labels = kind.decide(probabilities) if labels is None else labels
    if labels.max() >= num_classes:
        raise ValueError(
            f"`pseudo_labels` must be classes of the model, -1 to "
            f"{num_classes - 1}. Received: maximum={labels.max()}"
        )
    votes, weights = probabilities, np.ones(len(pool), "float32")
    if labeled is not None:
        truth = checked_label_rows(
            labeled[1], "labels of labeled", kind, num_classes
        )
        labeled_features, _ = predict(*known)
        features = np.concatenate([features, labeled_features])
        votes = np.concatenate([votes, truth])
        weights = np.pad(
            weights, (0, len(truth)), constant_values=_WEIGHT_OF_TRUTH
        )
    votes = neighbor_votes(features, votes, weights, len(pool), num_neighbors)
    audited = labels, probabilities, votes, flip_rate
    if not kind.one_true:
        audited = _most_doubtful(*audited)
        class_names = yes_and_no(class_names, num_classes)
    return _ranked(pool, *audited, num_shown, class_names)


def _most_doubtful(labels, probabilities, votes, flip_rate):
    """Returns the most doubtful label of each image, as one of two classes.

    The class `2 * number` says no to a label, and the next one says yes.

    Args:
        labels: Int array `(num_images, num_labels)` of 1, 0 and -1.
        probabilities: Float array likewise.
        votes: Float array likewise.
        flip_rate: Float array likewise.

    Returns:
        The same for classes: labels and flip rate `(num_images,)`, and
        probabilities and votes `(num_images, 2 * num_labels)`, which are 0
        for all other labels of an image.
    """
    agreement = np.where(labels == 1, votes, 1 - votes)
    doubt = np.where(labels < 0, -1, suspicion(agreement, flip_rate))
    images, worst = np.arange(len(labels)), doubt.argmax(axis=1)
    chosen = labels[images, worst]
    pairs = []
    for said in (probabilities, votes):
        rows = np.zeros((len(labels), 2 * labels.shape[1]), "float32")
        rows[images, 2 * worst] = 1 - said[images, worst]
        rows[images, 2 * worst + 1] = said[images, worst]
        pairs.append(rows)
    classes = np.where(chosen < 0, -1, 2 * worst + chosen)
    return classes, *pairs, flip_rate[images, worst]


def _ranked(
    pool, labels, probabilities, votes, flip_rate, num_shown, class_names
):
    audited = np.flatnonzero(labels >= 0)
    agreement = votes[audited, labels[audited]]
    flip_rate = flip_rate[audited]
    # Of two equally doubtful labels, the more confident one comes first.
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


def label_flip_rate(history, num_images, num_labels=None):
    """Returns the share of rounds in which each label changed.

    Args:
        history: `PseudoLabeler` after its fit; or a sequence of int arrays
            `(num_images,)`, the labels of each round, -1 where there is none;
            or `None`, without which no label changes.
        num_images: Int.
        num_labels: Optional int, the number of labels of which several may be
            true. The arrays have a column for each.

    Returns:
        Float array of shape `(num_images,)`, or `(num_images, num_labels)`,
        in 0 to 1. The first round does not count. A label is compared to the
        last one that there was, and rounds without one are left out.

    Raises:
        ValueError: If the history is that of other images.
    """
    shape = (num_images,) if num_labels is None else (num_images, num_labels)
    if history is None:
        return np.zeros(shape)
    if isinstance(history, PseudoLabeler):
        changes, num_rounds = history.num_changes, len(history.rounds)
        if changes.shape != shape:
            raise _wrong_history(f"of shape {changes.shape}", shape)
        return changes / max(1, num_rounds - 1)
    rounds = [as_array(labels, "history") for labels in history]
    shapes = {labels.shape for labels in rounds}
    if shapes != {shape} or any(x.dtype.kind != "i" for x in rounds):
        raise _wrong_history(f"of shapes {sorted(shapes)}", shape)
    last, changes = rounds[0].copy(), np.zeros(shape)
    for labels in rounds[1:]:
        has_label = labels >= 0
        changes += has_label & (last >= 0) & (labels != last)
        last[has_label] = labels[has_label]
    return changes / max(1, len(rounds) - 1)


def _wrong_history(received, shape):
    return ValueError(
        "`history` must be a `PseudoLabeler` after its fit, or an int array "
        f"of labels per round, each of shape {shape}. "
        f"Received: a history {received}"
    )
