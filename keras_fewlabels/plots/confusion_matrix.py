import numpy as np

from keras_fewlabels.foundation import check_class_names, class_name
from keras_fewlabels.plots.figure import (
    label_places,
    new_figure,
    shown_name,
)

# With more classes, numbers in cells and names beside them cannot be read.
_MAX_CLASSES_WITH_NUMBERS = 25
_MAX_CLASSES = 60


def confusion_matrix(counts, class_names=None):
    """Draws how often each class is predicted as each class.

    The shade of a cell is its share of the row, which is the true class, so
    that classes of few images can be read as well. The number in a cell is
    the number of images. Of more than 60 classes, the 24 that are confused
    most often are drawn, and all others are counted as one.

    Args:
        counts: Int array of shape `(num_classes, num_classes)`, images by
            true class (rows) and predicted class (columns).
        class_names: Optional sequence of strings, one per class.

    Returns:
        A `matplotlib.figure.Figure`. `figure.savefig("matrix.png")` writes
        it; pyplot does not manage it, and nothing is shown.

    Raises:
        ValueError: If the counts are not whole numbers from 0 in a square
            array, or there is not one name per class.
        ImportError: If matplotlib is not installed.

    Example:

    >>> figure = keras_fewlabels.plots.confusion_matrix(
    ...     [[8, 2], [0, 5]], class_names=["cat", "dog"]
    ... )
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['8', '2', '', '5']
    """
    counts = _checked(counts)
    num_classes = len(counts)
    check_class_names(class_names, num_classes)
    shown, title = range(num_classes), ""
    if num_classes > _MAX_CLASSES:
        shown = _most_confused(counts, _MAX_CLASSES_WITH_NUMBERS - 1)
        counts = _with_others(counts, shown)
        title = f"the {len(shown)} of {num_classes:,} classes with the most "
        title += "frequent mistakes"
    names = [shown_name(class_name(label, class_names)) for label in shown]
    if title:
        names.append("all others")
    has_numbers = len(counts) <= _MAX_CLASSES_WITH_NUMBERS
    # In inches: a cell for three digits, or a few pixels.
    cell = 0.42 if has_numbers else 0.14
    side = max(2.0, cell * len(counts)) + 0.08 * max(map(len, names))
    figure = new_figure(side + 0.4, side + 0.4)
    axes = figure.subplots()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if has_numbers:
        _write_numbers(axes, counts, shares)
    is_short = max(map(len, names)) <= 3
    label_places(axes.xaxis, names, rotation=0 if is_short else 90)
    label_places(axes.yaxis, names)
    axes.tick_params(length=0, labelsize="small")
    axes.spines[:].set_visible(False)
    axes.set(xlabel="predicted", ylabel="true")
    axes.set_title(title, fontsize="medium")
    return figure


def _write_numbers(axes, counts, shares):
    for (row, column), count in np.ndenumerate(counts):
        color = "white" if shares[row, column] > 0.6 else "0.15"
        axes.text(
            *(column, row, f"{count:,}" if count else ""),
            **{"ha": "center", "va": "center", "color": color},
            fontsize="small",
        )


def _most_confused(counts, num_shown):
    """Returns the classes of the most frequent mistakes, in their order."""
    true, predicted = np.nonzero(counts)
    is_wrong = true != predicted
    pairs = np.stack([true, predicted], axis=1)[is_wrong]
    order = np.argsort(-counts[true, predicted][is_wrong], kind="stable")
    # This number of pairs has enough classes, if there are as many mistakes.
    confused = pairs[order[: num_shown**2]].ravel()
    frequent = np.argsort(-counts.sum(axis=1), kind="stable")[:num_shown]
    classes = dict.fromkeys([*confused.tolist(), *frequent.tolist()])
    return sorted(list(classes)[:num_shown])


def _with_others(counts, shown):
    """Returns the counts of some classes, and of all others together."""
    predicted = np.c_[counts[:, shown], counts.sum(axis=1)]
    predicted[:, -1] -= predicted[:, :-1].sum(axis=1)
    both = np.r_[predicted[shown], predicted.sum(axis=0, keepdims=True)]
    both[-1] -= both[:-1].sum(axis=0)
    # What is right and wrong among the others is not told apart.
    both[-1, -1] = 0
    return both


def _checked(counts):
    array = np.asarray(counts)
    is_square = array.ndim == 2 and array.shape[0] == array.shape[1] > 0
    if not is_square or array.dtype.kind not in "iu" or array.min() < 0:
        raise ValueError(
            "`counts` must be whole numbers from 0 of shape (num_classes, "
            f"num_classes). Received: dtype={array.dtype}, shape={array.shape}"
        )
    return array.astype("int64", copy=False)
