import numpy as np

from keras_fewlabels.plots.figure import RIGHT, WRONG, new_figure

# More names would not be legible.
_MAX_NAMES = 40


def prediction_changes(classes):
    """Draws how many images each class won and lost between two models.

    Args:
        classes: Dict of `"class"`, the names of the classes, and of `"won"`
            and `"lost"`, the number of images of each.

    Returns:
        A `matplotlib.figure.Figure`. `figure.savefig("changes.png")` writes
        it; pyplot does not manage it, and nothing is shown.

    Raises:
        ImportError: If matplotlib is not installed.

    Example:

    >>> from keras_fewlabels.plots.results import prediction_changes
    >>> figure = prediction_changes.prediction_changes(
    ...     {"class": ["cat", "dog"], "won": [3, 0], "lost": [1, 2]}
    ... )
    >>> [text.get_text() for text in figure.axes[0].get_yticklabels()]
    ['cat', 'dog']
    """
    names = list(map(str, classes["class"]))
    won, lost = np.array(classes["won"]), np.array(classes["lost"])
    has_names = len(names) <= _MAX_NAMES
    figure = new_figure(7, max(2.5, 1.2 + 0.22 * min(len(names), _MAX_NAMES)))
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
        axes.set_yticks(places, names, parse_math=False)
    else:
        axes.set_ylabel("class")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper left", ncols=2, frameon=False)
    return figure
