from keras_fewlabels.plots.accuracy_arrays import accuracy_arrays
from keras_fewlabels.plots.figure import (
    OUTLINE,
    PLAIN,
    RIGHT,
    label_places,
    new_figure,
    shown_name,
)

_OTHERS = "0.75"


def comparison(accuracies, title=None):
    """Draws the accuracies of several ways to train, the best highlighted.

    Bars start at 0, so that their lengths can be compared. With few labels
    one run says little. If there are the accuracies of several seeds, the bar
    is their mean, and the whisker is one standard deviation to each side.

    Args:
        accuracies: Dict of names to a float in 0 to 1, or to a list with a
            float per seed. Bars are drawn in this order, from the top.
        title: Optional string, above the bars.

    Returns:
        A `matplotlib.figure.Figure`. `figure.savefig("bars.png")` writes it;
        pyplot does not manage it, and nothing is shown.

    Raises:
        ValueError: If the dict is empty, or a value is other than a number
            from 0 to 1 or a list of such numbers.
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
    figure = new_figure(5.2, 0.5 + 0.4 * len(runs) + 0.3 * bool(title))
    axes = figure.subplots()
    for row, array in enumerate(runs.values()):
        _draw_bar(axes, row, array, is_best=means[row] == max(means))
    label_places(axes.yaxis, runs, wrap=24)
    axes.set_ylim(len(runs) - 0.4, -0.6)
    # Leaves room for the number beside the longest bar.
    ends = [array.mean() + array.std(ddof=len(array) > 1) for array in
            runs.values()]  # fmt: skip
    axes.set_xlim(0, 1.5 * max(ends) or 1)
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    title = shown_name(title or "", 60)
    axes.set_title(title, fontsize="medium", loc="left", **PLAIN)
    return figure


def _draw_bar(axes, row, array, is_best):
    mean, deviation = array.mean(), 0
    text = f"{100 * mean:.1f} %"
    if len(array) > 1:
        deviation = array.std(ddof=1)
        text = f"{100 * mean:.1f} ± {100 * deviation:.1f} %"
        axes.errorbar(mean, row, xerr=deviation, color=OUTLINE, capsize=3)
    axes.barh(row, mean, height=0.62, color=RIGHT if is_best else _OTHERS)
    axes.annotate(
        text,
        (mean + deviation, row),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
    )
