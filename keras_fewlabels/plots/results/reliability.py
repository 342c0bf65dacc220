import numpy as np

from keras_fewlabels.plots.figure import OUTLINE, RIGHT, new_figure


def reliability(bins, error, kind="images"):
    """Draws a reliability diagram: accuracy against confidence.

    In the upper panel there is a point for each bin of confidences, at its
    mean confidence and at the share of its images that are right, with the
    interval of that share. Points of a calibrated classifier lie on the
    diagonal. Those below it are of a classifier that is too sure. The lower
    panel has the number of images in each bin.

    Args:
        bins: List of dicts of `low`, `high`, `num_images`, `confidence`,
            `accuracy` and `interval`, a pair of floats. The last three are
            `None` in a bin without images.
        error: Float, the expected calibration error, for the title.
        kind: String, what is counted in the bins, for the lower axis.

    Returns:
        A `matplotlib.figure.Figure`. `figure.savefig("bins.png")` writes it;
        pyplot does not manage it, and nothing is shown.

    Raises:
        ImportError: If matplotlib is not installed.

    Example:

    >>> from keras_fewlabels.plots.results.reliability import reliability
    >>> sure = {"low": 0.5, "high": 1.0, "num_images": 4, "confidence": 0.9}
    >>> figure = reliability(
    ...     [{**sure, "accuracy": 0.75, "interval": (0.30, 0.95)}], 0.15
    ... )
    >>> figure.axes[0].get_title(loc="left")
    'expected calibration error: 15.0 points'
    """
    figure = new_figure(4.6, 4.8)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.plot([0, 100], [0, 100], "--", color="0.6", linewidth=1)
    filled = [each for each in bins if each["num_images"]]
    confidence, accuracy = (
        100 * np.array([each[name] for each in filled])
        for name in ("confidence", "accuracy")
    )
    low, high = 100 * np.array([each["interval"] for each in filled]).T
    upper.errorbar(
        confidence,
        accuracy,
        # Rounding may put a bound on the wrong side of the share.
        yerr=np.maximum([accuracy - low, high - accuracy], 0),
        fmt="o-",
        color=RIGHT,
        ecolor=OUTLINE,
        elinewidth=1,
        capsize=3,
    )
    upper.set(xlim=(0, 100), ylim=(-3, 103), ylabel="share that is right in %")
    upper.set_title(
        f"expected calibration error: {100 * error:.1f} points",
        fontsize="medium",
        loc="left",
    )
    _draw_counts(lower, bins, kind)
    for axes in (upper, lower):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _draw_counts(axes, bins, kind):
    counts = [each["num_images"] for each in bins]
    for each in bins:
        low, high = 100 * each["low"], 100 * each["high"]
        axes.bar(low, each["num_images"], high - low, align="edge",
                 color="0.75", edgecolor="white")  # fmt: skip
        if each["num_images"]:
            axes.annotate(
                f"{each['num_images']:,}",
                ((low + high) / 2, each["num_images"]),
                xytext=(0, 2),
                textcoords="offset points",
                ha="center",
                fontsize="x-small",
            )
    axes.set(xlabel="confidence in %", ylabel=kind)
    axes.set_ylim(0, 1.3 * max(counts))
    axes.set_yticks([])
