import numpy as np

from keras_fewlabels.foundation import check_class_names, class_name
from keras_fewlabels.plots.figure import new_figure

# With more classes, numbers in cells and names beside them cannot be read.
_MAX_CLASSES_WITH_NUMBERS = 25
_MAX_CLASSES_WITH_NAMES = 60


def confusion_matrix(counts, class_names=None):
    """Draws how often each class is predicted as each class.

    The shade of a cell is its share of the row, which is the true class, so
    that classes of few images can be read as well. The number in a cell is
    the number of images.

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
    names = [class_name(label, class_names) for label in range(num_classes)]
    # In inches: a cell for three digits, or a few pixels.
    cell = 0.42 if num_classes <= _MAX_CLASSES_WITH_NUMBERS else 0.14
    longest = max(map(len, names))
    side = max(2.0, cell * num_classes) + 0.08 * longest
    figure = new_figure(side + 0.4, side + 0.4)
    axes = figure.subplots()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if num_classes <= _MAX_CLASSES_WITH_NUMBERS:
        for (row, column), count in np.ndenumerate(counts):
            color = "white" if shares[row, column] > 0.6 else "0.15"
            axes.text(
                *(column, row, f"{count:,}" if count else ""),
                **{"ha": "center", "va": "center", "color": color},
                fontsize="small",
            )
    if num_classes <= _MAX_CLASSES_WITH_NAMES:
        axes.set_xticks(
            range(num_classes), names, rotation=90, parse_math=False
        )
        axes.set_yticks(range(num_classes), names, parse_math=False)
    else:
        axes.set(xticks=[], yticks=[])
    axes.tick_params(length=0, labelsize="small")
    axes.spines[:].set_visible(False)
    axes.set(xlabel="predicted", ylabel="true")
    return figure


def _checked(counts):
    array = np.asarray(counts)
    is_square = array.ndim == 2 and array.shape[0] == array.shape[1] > 0
    if not is_square or array.dtype.kind not in "iu" or array.min() < 0:
        raise ValueError(
            "`counts` must be whole numbers from 0 of shape (num_classes, "
            f"num_classes). Received: dtype={array.dtype}, shape={array.shape}"
        )
    return array
