from keras_fewlabels.plots.figure import new_figure


def batch_sizes(throughputs, suggestion):
    """Draws the speed of training over the batch size.

    Args:
        throughputs: Dict of batch sizes to images per second, not empty.
        suggestion: Int, the batch size to mark, one of `throughputs`.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    sizes = list(throughputs)
    figure = new_figure(5, 3.2)
    axes = figure.subplots()
    axes.plot(sizes, list(throughputs.values()), color="C0", marker="o")
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, map(str, sizes))
    axes.set(xlabel="batch size", ylabel="images per second")
    # From zero, so that twice the height is twice the speed.
    axes.set_ylim(bottom=0)
    axes.axvline(suggestion, color="C3", linestyle="--")
    title = f"{throughputs[suggestion]:.0f} images per second at {suggestion}"
    axes.set_title(title, fontsize="medium")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    return figure
