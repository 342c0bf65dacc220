import numpy as np

from keras_fewlabels.plots.figure import new_figure

MEASURED, PROMISED, DOUBTFUL = "tab:blue", "tab:green", "0.6"


def label_price(price):
    """Draws how errors fall with labels, and where more would lead.

    Dots are measured errors, the line is the curve where it was fitted, a
    dotted line marks the labels there are, and bars stand
    where more labels would lead, as wide as the interval. They are grey, and
    say so, where nobody can tell.

    Args:
        price: What `evaluation.price_of_a_label` returns, or the `to_dict()`
            of it.

    Returns:
        A `matplotlib.figure.Figure`. `figure.savefig("price.png")` writes it;
        pyplot does not know it, and nothing is shown.

    Raises:
        ValueError: If it is no such thing.
        ImportError: If matplotlib is not installed.

    Example:

    >>> figure = keras_fewlabels.plots.label_price(
    ...     {
    ...         "num_labels": 40,
    ...         "sizes": [10, 20, 40],
    ...         "errors": [0.4, 0.2, 0.1],
    ...         "curve": [0.4, 0.2, 0.1],
    ...         "offers": [{"extra": 40, "error": 0.05, "gain": 0.05,
    ...                     "low": 0.02, "high": 0.09, "verdict": "gain"}],
    ...     }
    ... )
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['+ 40']
    """
    price = price.to_dict() if hasattr(price, "to_dict") else price
    missing = {"num_labels", "sizes", "errors", "curve", "offers"} - set(
        price if isinstance(price, dict) else ()
    )
    if missing:
        raise ValueError(
            "`price` must be what `price_of_a_label()` returns. "
            f"Received: {type(price).__name__} without {sorted(missing)}"
        )
    figure = new_figure(7, 4)
    axes = figure.subplots()
    sizes, offers = price["sizes"], price["offers"]
    axes.plot(
        sizes, 100 * np.array(price["errors"]), "o", color=MEASURED,
        label="measured",
    )  # fmt: skip
    fitted = [
        (size, 100 * error)
        for size, error in zip(sizes, price["curve"], strict=True)
        if error is not None
    ]
    axes.plot(*np.transpose(fitted), color=MEASURED, label="fitted curve")
    for offer in offers:
        _draw(axes, offer, price["num_labels"])
    axes.axvline(price["num_labels"], color="0.7", linestyle=":")
    axes.set_xscale("log")
    ends = [price["num_labels"] + offer["extra"] for offer in offers]
    ticks = [sizes[0], price["num_labels"], *ends]
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.set(xlabel="labels", ylabel="error in %")
    axes.set_ylim(bottom=min(0, axes.get_ylim()[0]))
    axes.spines[["top", "right"]].set_visible(False)
    handles, names = axes.get_legend_handles_labels()
    known = dict(zip(names, handles, strict=True))
    axes.legend(known.values(), known.keys(), frameon=False)
    return figure


def _draw(axes, offer, num_labels):
    place, error = num_labels + offer["extra"], 100 * offer["error"]
    is_told = offer["verdict"] == "gain"
    today = error + 100 * offer["gain"]
    ends = today - 100 * np.array([offer["high"], offer["low"]])
    axes.errorbar(
        [place],
        [error],
        np.abs(ends - error)[:, None],
        fmt="s",
        capsize=4,
        color=PROMISED if is_told else DOUBTFUL,
        label="with more labels" if is_told else "cannot tell",
    )
    axes.annotate(
        f"+ {offer['extra']:,}",
        (place, ends[1]),
        (0, 6),
        textcoords="offset points",
        ha="center",
        fontsize="small",
    )
