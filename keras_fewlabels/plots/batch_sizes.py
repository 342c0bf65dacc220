from keras_fewlabels.plots.figure import new_figure


def batch_sizes(throughputs, suggestion=None):
    """Draws how fast a model trains over the batch size.

    Args:
        throughputs: Dict of batch sizes to images per second, as
            `loops.find_batch_size` measures them.
        suggestion: Optional int, the batch size to mark.

    Returns:
        A `matplotlib.figure.Figure`. `figure.savefig("sizes.png")` writes it;
        pyplot does not know it, and nothing is shown.

    Raises:
        ValueError: If there is nothing to draw, or the suggestion is not
            among the batch sizes.
        ImportError: If matplotlib is not installed.

    Example:

    >>> figure = keras_fewlabels.plots.batch_sizes(
    ...     {8: 250.0, 16: 470.0, 32: 500.0}, suggestion=16
    ... )
    >>> figure.axes[0].get_title()
    '470 images per second at 16'
    """
    if not isinstance(throughputs, dict) or not throughputs:
        raise ValueError(
            "`throughputs` must have one batch size or more, in a dict with "
            "the images per second of each. "
            f"Received: throughputs={throughputs}"
        )
    if suggestion is not None and suggestion not in throughputs:
        raise ValueError(
            "`suggestion` must be one of the batch sizes. Received: "
            f"suggestion={suggestion}, batch sizes {list(throughputs)}"
        )
    sizes = sorted(throughputs)
    figure = new_figure(5, 3.2)
    axes = figure.subplots()
    axes.plot(sizes, [throughputs[n] for n in sizes], color="C0", marker="o")
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, map(str, sizes))
    axes.set(xlabel="batch size", ylabel="images per second")
    # From zero, where a height is a speed.
    axes.set_ylim(bottom=0)
    if suggestion is not None:
        axes.axvline(suggestion, color="C3", linestyle="--")
        title = f"{throughputs[suggestion]:.0f} images per second at "
        axes.set_title(f"{title}{suggestion}", fontsize="medium")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    return figure
