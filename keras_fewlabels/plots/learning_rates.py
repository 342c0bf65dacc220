import numpy as np

from keras_fewlabels.plots.figure import new_figure


def learning_rates(rates, losses, suggestion=None):
    """Draws the loss of a range test over the learning rate.

    Args:
        rates: Sequence of positive floats, the learning rates that
            `callbacks.LearningRateFinder` tested.
        losses: Sequence of floats, the smoothed loss at each.
        suggestion: Optional float, the learning rate to mark.

    Returns:
        A `matplotlib.figure.Figure`. `figure.savefig("rates.png")` writes it;
        pyplot does not know it, and nothing is shown.

    Raises:
        ValueError: If there is not one loss per rate.
        ImportError: If matplotlib is not installed.

    Example:

    >>> figure = keras_fewlabels.plots.learning_rates(
    ...     [1e-3, 1e-2, 1e-1], [2.3, 2.0, 4.1], suggestion=1e-2
    ... )
    >>> figure.axes[0].get_title()
    'steepest fall at 0.01'
    """
    rates, losses = np.asarray(rates, float), np.asarray(losses, float)
    if rates.ndim != 1 or rates.shape != losses.shape or len(rates) < 2:
        raise ValueError(
            "There must be two or more rates, and a loss for each. Received: "
            f"rates of shape {rates.shape}, losses of shape {losses.shape}"
        )
    if not np.isfinite(losses).any():
        raise ValueError(
            "There must be a loss that is finite. Start the test at a lower "
            f"rate. Received: losses={losses}"
        )
    figure = new_figure(5, 3.2)
    axes = figure.subplots()
    axes.plot(rates, losses, color="C0")
    axes.set_xscale("log")
    axes.set(xlabel="learning rate", ylabel="loss (smoothed)")
    # An explosion would press everything else flat.
    start, lowest = losses[0], np.nanmin(losses)
    margin = 0.1 * (start - lowest) or 1
    axes.set_ylim(lowest - margin, start + 3 * margin)
    if suggestion is not None:
        axes.axvline(suggestion, color="C3", linestyle="--")
        axes.set_title(f"steepest fall at {suggestion:.2g}", fontsize="medium")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    return figure
