import keras
import numpy as np

from keras_fewlabels.data.checks import as_array, check_labels, class_numbers
from keras_fewlabels.data.review import image_rows
from keras_fewlabels.data.sources import image_source
from keras_fewlabels.evaluation.checks import checked_pseudo_labels
from keras_fewlabels.evaluation.features import (
    as_probabilities,
    predicted_probabilities,
)
from keras_fewlabels.evaluation.prediction_progress import progress_over
from keras_fewlabels.evaluation.review.prediction_changes import (
    PredictionChanges,
)
from keras_fewlabels.foundation import check_class_names, check_int
from keras_fewlabels.policies.parts import check_one_class


def what_changed(
    before,
    after,
    x,
    y=None,
    *,
    pseudo_labels=None,
    num_shown=50,
    class_names=None,
    paths=None,
    batch_size=256,
    verbose="auto",
):
    """Compares the predictions of two models image by image.

    Two models of the same accuracy may be right on different images. The
    result lists the predictions that flipped, the images that each class won
    and lost, and the pseudo-labels of the first model that the second one
    contradicts. With `y`, its `verdict` states whether the second model is
    better beyond chance. To compare accuracies, pass images that neither model
    was trained on. To find wrong pseudo-labels, pass the unlabelled images.

    Args:
        before: The first Keras classifier; or its logits or probabilities, an
            array `(num_images, num_classes)`, or `(num_images, 1)` of one
            sigmoid unit.
        after: The second classifier, likewise.
        x: Array of images `(num_images, height, width, channels)`, also
            memory-mapped, or an object that is indexed like one; or a
            `tf.data.Dataset` or `PyDataset` of images in a fixed order.
        y: Optional true labels, `(num_images,)` or one-hot.
        pseudo_labels: Optional int array `(num_images,)`, the pseudo-labels
            of the first run, -1 where there is none, such as
            `PseudoLabeler.labels`.
        num_shown: Int, the largest number of images that are drawn.
        class_names: Optional sequence of strings, one per class.
        paths: Optional sequence of a path per image. Defaults to the
            `file_paths` of the images.
        batch_size: Int, the number of images that are predicted at a time.
        verbose: `"auto"`, 0, 1, or 2, as in `fit`. 0 draws no progress bar.

    Returns:
        A `PredictionChanges` with the flipped images in `order` and, if there
        is `y`, the `verdict`. It can be printed, drawn by `figure()`, and
        written by `save(folder)`.

    Raises:
        ValueError: If an argument has another form than above, the two models
            have different classes, or several labels may be true of an image.

    Example:

    >>> changes = keras_fewlabels.evaluation.what_changed(
    ...     np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]),
    ...     np.array([[0.9, 0.1], [0.3, 0.7], [0.1, 0.9]]),
    ...     x=np.zeros((3, 8, 8, 1), "uint8"),
    ...     y=[0, 1, 1],
    ... )
    >>> changes.order, changes.verdict.num_gained
    (array([1]), 1)
    """
    check_int(batch_size, "batch_size")
    check_int(num_shown, "num_shown")
    pool = image_source(x, "x", paths)
    labels = checked_pseudo_labels(pseudo_labels, len(pool))
    models = [run for run in (before, after) if isinstance(run, keras.Model)]
    for run in models:
        check_one_class(run, "`what_changed`")
    progress = None
    if models:
        progress = progress_over([pool], batch_size, len(models), verbose)
    first, second = (
        _probabilities(run, argument, pool, batch_size, progress)
        for run, argument in ((before, "before"), (after, "after"))
    )
    num_classes = first.shape[1]
    if second.shape[1] != num_classes:
        raise ValueError(
            "`before` and `after` must have the same classes. Received: "
            f"{num_classes} classes before, {second.shape[1]} after"
        )
    check_class_names(class_names, num_classes)
    if y is not None:
        y = as_array(y, "y")
        check_labels(y, "y", len(pool), num_classes)
        y = class_numbers(y)
    was, now = first.argmax(axis=1), second.argmax(axis=1)
    flipped = np.flatnonzero(was != now)
    change = np.abs(second - first)[flipped].sum(axis=1)
    order = flipped[np.argsort(-change, kind="stable")]
    shown = order[:num_shown]
    images = pool.take(shown) if len(shown) else pool.first(1)[:0]
    contradicted = None
    if labels is not None:
        contradicted = np.flatnonzero((labels >= 0) & (labels != now))
    return PredictionChanges(
        was,
        now,
        order,
        num_classes,
        images,
        image_rows(pool, shown, images),
        y,
        contradicted,
        class_names,
    )


def _probabilities(run, argument, pool, batch_size, progress):
    if isinstance(run, keras.Model):
        return predicted_probabilities(run, pool, batch_size, progress)
    scores = as_array(run, argument)
    if scores.ndim != 2 or len(scores) != len(pool):
        raise ValueError(
            f"`{argument}` must be a Keras model, or an array of scores with "
            f"a row per image. Received: shape={scores.shape} for {len(pool)} "
            "images"
        )
    return as_probabilities(scores, len(pool))
