import numpy as np

from keras_fewlabels.plots.figure import RIGHT, WRONG, label_places, new_figure

# More names would not be legible.
_MAX_NAMES = 40


def prediction_changes(classes):
    """Draws how many images each class won and lost between two models.

    Of more than 40 classes, the 40 with the most images won and lost are
    drawn. The legend counts those of all classes.

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
    names = list(classes["class"])
    won, lost = np.array(classes["won"]), np.array(classes["lost"])
    num_won, num_lost = won.sum(), lost.sum()
    title = ""
    if len(names) > _MAX_NAMES:
        title = f"the {_MAX_NAMES} of {len(names):,} classes that changed most"
        shown = np.argsort(-(won + lost), kind="stable")[:_MAX_NAMES]
        shown.sort()
        names = [names[number] for number in shown]
        won, lost = won[shown], lost[shown]
    figure = new_figure(7, max(2.5, 1.2 + 0.22 * len(names)))
    axes = figure.subplots()
    places = np.arange(len(names))
    axes.barh(places, won, color=RIGHT, label=f"won: {num_won:,}")
    axes.barh(places, -lost, color=WRONG, label=f"lost: {num_lost:,}")
    axes.axvline(0, color="0.2", linewidth=0.8)
    axes.set(xlabel="images", ylim=(len(names) - 0.5, -0.5))
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.xaxis.set_major_formatter(lambda value, _: f"{abs(value):,.0f}")
    label_places(axes.yaxis, names)
    axes.set_title(title, fontsize="medium")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper left", ncols=2, frameon=False)
    return figure
