import textwrap

from keras_fewlabels.plots.accuracy_arrays import accuracy_arrays
from keras_fewlabels.plots.figure import new_figure
from keras_fewlabels.plots.predictions import RIGHT

OTHERS, OUTLINE = "0.75", "0.2"


def comparison(accuracies, title=None):
    """Draws the accuracies of several ways to train, the best highlighted.

    Bars start at 0, for their lengths to be compared. One run says little
    where labels are few: give the accuracies of several seeds, and the bar is
    their mean, the whisker one standard deviation to each side.

    Args:
        accuracies: Dict of names to a float in 0 to 1, or to a list of these,
            one per seed. They are drawn in this order, from the top.
        title: Optional string, above the bars.

    Returns:
        A `matplotlib.figure.Figure`. `figure.savefig("bars.png")` writes it;
        pyplot does not know it, and nothing is shown.

    Raises:
        ValueError: If there is nothing to draw, a value is no number, or
            accuracies are not fractions.
        ImportError: If matplotlib is not installed.

    Example:

    >>> figure = keras_fewlabels.plots.comparison(
    ...     {"labels only": [0.43, 0.45], "noisy student": [0.55, 0.56]}
    ... )
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['44.0 ± 1.4 %', '55.5 ± 0.7 %']
    """
    runs = accuracy_arrays("accuracies", accuracies)
    means = [array.mean() for array in runs.values()]
    # In inches; every bar has a line of its own.
    figure = new_figure(5.2, 0.5 + 0.4 * len(runs) + 0.3 * bool(title))
    axes = figure.subplots()
    for row, array in enumerate(runs.values()):
        _draw_bar(axes, row, array, is_best=means[row] == max(means))
    names = [textwrap.fill(name, 24) for name in runs]
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    # The numbers stand beside the bars, where the longest must have room.
    axes.set_xlim(0, 1.5 * max(array.max() for array in runs.values()) or 1)
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.set_title(title or "", fontsize="medium", loc="left")
    return figure


def _draw_bar(axes, row, array, is_best):
    mean, deviation = array.mean(), 0
    text = f"{100 * mean:.1f} %"
    if len(array) > 1:
        deviation = array.std(ddof=1)
        text = f"{100 * mean:.1f} ± {100 * deviation:.1f} %"
        axes.errorbar(mean, row, xerr=deviation, color=OUTLINE, capsize=3)
    axes.barh(row, mean, height=0.62, color=RIGHT if is_best else OTHERS)
    axes.annotate(
        text,
        (mean + deviation, row),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
    )
