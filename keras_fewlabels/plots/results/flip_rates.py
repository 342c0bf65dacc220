from keras_fewlabels.plots.figure import RIGHT, label_places, new_figure


def flip_rates(rates):
    """Draws the flip rate under each perturbation as a bar.

    Args:
        rates: Dict of names of perturbations to floats in 0 to 1.

    Returns:
        A `matplotlib.figure.Figure`. `figure.savefig("flips.png")` writes it;
        pyplot does not manage it, and nothing is shown.

    Raises:
        ImportError: If matplotlib is not installed.

    Example:

    >>> from keras_fewlabels.plots.results.flip_rates import flip_rates
    >>> figure = flip_rates({"rotate": 0.25, "tilt": 0.125})
    >>> [text.get_text() for text in figure.axes[0].get_yticklabels()]
    ['rotate', 'tilt']
    """
    figure = new_figure(5.2, 0.9 + 0.3 * len(rates))
    axes = figure.subplots()
    percent = [100 * rate for rate in rates.values()]
    bars = axes.barh(range(len(rates)), percent, height=0.62, color=RIGHT)
    axes.bar_label(bars, fmt="%.1f", padding=6)
    label_places(axes.yaxis, rates)
    axes.set_ylim(len(rates) - 0.4, -0.6)
    axes.margins(x=0.12)
    axes.set_xlabel("frames whose prediction flips, in %")
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right"]].set_visible(False)
    return figure
