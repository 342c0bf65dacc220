import numpy as np

from keras_fewlabels.plots.figure import (
    PLAIN,
    label_places,
    new_figure,
    shown_name,
)


def corruptions(reports):
    """Draws the error of models under each corruption and severity.

    The figure has a heat map per model, side by side in one scale of colours,
    with the percentage in each cell, and the mean of each row and column at
    its end.

    Args:
        reports: Dict of titles to `CorruptionReport.to_dict()`, of the same
            corruptions and severities.

    Returns:
        A `matplotlib.figure.Figure`. `figure.savefig("errors.png")` writes it;
        pyplot does not manage it, and nothing is shown.

    Raises:
        ValueError: If models have other corruptions or severities.
        ImportError: If matplotlib is not installed.

    Example:

    >>> from keras_fewlabels.plots.results.corruptions import corruptions
    >>> errors = {"fog": [0.25, 0.5], "snow": [0.125, 0.375]}
    >>> figure = corruptions(
    ...     {"": {"errors": errors, "severities": [1, 5], "clean_error": 0.1}}
    ... )
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['25', '50', '38', '12', '38', '25', '19', '44', '31']
    """
    first = next(iter(reports.values()))
    names, severities = list(first["errors"]), list(first["severities"])
    figure = new_figure(
        1.8 + len(reports) * (0.45 + 0.45 * len(severities)),
        1.2 + 0.27 * len(names),
    )
    grid = figure.subplots(1, len(reports), squeeze=False, sharey=True)[0]
    for axes, (title, report) in zip(grid, reports.items(), strict=True):
        others = list(report["errors"]), list(report["severities"])
        if others != (names, severities):
            raise ValueError(
                "All models must have the same corruptions and severities. "
                f"Received: {title!r} with {others} beside "
                f"{(names, severities)}"
            )
        _draw(axes, title, report)
    label_places(grid[0].yaxis, [*names, "mean"])
    return figure


def _draw(axes, title, report):
    errors = report["errors"]
    counted = [errors[name] for name in report.get("in_mean", errors)]
    array = np.array([*errors.values(), np.mean(counted, axis=0)])
    array = np.c_[array, array.mean(axis=1)]
    axes.imshow(array, cmap="magma_r", vmin=0, vmax=1, aspect="auto")
    for row, column in np.ndindex(array.shape):
        error = array[row, column]
        axes.text(
            column,
            row,
            f"{100 * error:.0f}",
            color="white" if error > 0.4 else "black",
            fontsize="small",
            ha="center",
            va="center",
        )
    severities = report["severities"]
    # A white line sets the means apart.
    axes.axvline(len(severities) - 0.5, color="white", linewidth=3)
    axes.axhline(len(array) - 1.5, color="white", linewidth=3)
    axes.set_xticks(range(len(severities) + 1), [*severities, "mean"])
    axes.set_xlabel("severity")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    text = f"error in % (clean: {100 * report['clean_error']:.0f})"
    if title:
        text = f"{shown_name(title, 28)}\n{text}"
    axes.set_title(text, fontsize="medium", **PLAIN)
