import numpy as np

from keras_fewlabels.plots.figure import new_figure


def learning_rates(rates, losses, suggestion=None):
    """Draws the loss of a range test over the learning rate.

    Args:
        rates: Float array of shape `(num_tested,)`, the learning rates.
        losses: Float array of the same shape, the smoothed losses, at least
            two of them finite.
        suggestion: Optional float, the learning rate to mark.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    figure = new_figure(5, 3.2)
    axes = figure.subplots()
    axes.plot(rates, losses, color="C0")
    axes.set_xscale("log")
    axes.set(xlabel="learning rate", ylabel="loss (smoothed)")
    # The explosion at the end would press everything else flat.
    start = losses[np.isfinite(losses)][0]
    lowest = np.nanmin(losses)
    margin = 0.1 * (start - lowest) or 1
    axes.set_ylim(lowest - margin, start + 3 * margin)
    if suggestion is not None:
        axes.axvline(suggestion, color="C3", linestyle="--")
        axes.set_title(f"steepest fall at {suggestion:.2g}", fontsize="medium")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    return figure
