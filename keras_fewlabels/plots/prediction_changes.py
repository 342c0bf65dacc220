import numpy as np

from keras_fewlabels.plots.figure import new_figure
from keras_fewlabels.plots.predictions import RIGHT, WRONG

# More names than these would not be legible.
MAX_NAMES = 40


def prediction_changes(changes):
    """Draws what each class won and lost between two models.

    Where the truth is known, images that were wrong and are right now count
    as won by their class, the reverse as lost. Otherwise a class wins the
    images that are predicted to be of it now, and loses those that were.

    Args:
        changes: What `evaluation.what_changed` returns, or the `to_dict()` of
            it.

    Returns:
        A `matplotlib.figure.Figure`. `figure.savefig("changes.png")` writes
        it; pyplot does not know it, and nothing is shown.

    Raises:
        ValueError: If it is no such thing.
        ImportError: If matplotlib is not installed.

    Example:

    >>> figure = keras_fewlabels.plots.prediction_changes(
    ...     {"classes": {"class": ["cat", "dog"], "won": [3, 0],
    ...                  "lost": [1, 2]}}
    ... )
    >>> [text.get_text() for text in figure.axes[0].get_yticklabels()]
    ['cat', 'dog']
    """
    changes = changes.to_dict() if hasattr(changes, "to_dict") else changes
    classes = changes.get("classes") if isinstance(changes, dict) else None
    if not classes:
        raise ValueError(
            "`changes` must be what `what_changed()` returns. "
            f"Received: {type(changes).__name__} without 'classes'"
        )
    names = list(map(str, classes["class"]))
    won, lost = np.array(classes["won"]), np.array(classes["lost"])
    has_names = len(names) <= MAX_NAMES
    figure = new_figure(7, max(2.5, 1.2 + 0.22 * min(len(names), MAX_NAMES)))
    axes = figure.subplots()
    places = np.arange(len(names))
    height = 0.8 if has_names else 1
    axes.barh(places, won, height, color=RIGHT, label=f"won: {won.sum():,}")
    axes.barh(places, -lost, height, color=WRONG, label=f"lost: {lost.sum():,}")
    axes.axvline(0, color="0.2", linewidth=0.8)
    axes.set(xlabel="images", ylim=(len(names) - 0.5, -0.5))
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.xaxis.set_major_formatter(lambda value, _: f"{abs(value):,.0f}")
    if has_names:
        axes.set_yticks(places, names)
    else:
        axes.set_ylabel("class")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper left", ncols=2, frameon=False)
    return figure
