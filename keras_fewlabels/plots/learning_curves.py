import numpy as np

from keras_fewlabels.plots.figure import (
    PLAIN,
    count_epochs,
    new_figure,
    shown_name,
)


def learning_curves(history, metrics=None, stages=None):
    """Draws each metric over the epochs.

    There is one panel per metric, with a solid line for training and a dashed
    line for validation. Epochs are counted from 1, as Keras prints them.

    Args:
        history: `History` that `fit()` returns, its `history` dict, or a dict
            of names to several of these, which get one colour each.
        metrics: Optional sequence of names, such as `["loss", "accuracy"]`,
            without `"val_"`. Defaults to all metrics of the histories.
        stages: Optional dict of the first epoch of a stage, counted from 0,
            to its name. A line is drawn before that epoch. The `schedule` of
            `FineTune` is such a dict: its counts of layers are drawn as
            `"frozen"` and `"top 20"`.

    Returns:
        A `matplotlib.figure.Figure`. `figure.savefig("curves.png")` writes it;
        pyplot does not manage it, and nothing is shown.

    Raises:
        ValueError: If the histories hold no metric, a metric is in none of
            them, or a metric has another number of values than there are
            epochs or validations.
        ImportError: If matplotlib is not installed.

    Example:

    >>> history = {"loss": [1.2, 0.7, 0.4], "val_loss": [1.3, 1.0, 0.9]}
    >>> figure = keras_fewlabels.plots.learning_curves(
    ...     history, stages={0: 0, 2: "all"}
    ... )
    >>> [line.get_label() for line in figure.axes[0].lines[:2]]
    ['training', 'validation']
    """
    histories = _by_name(history)
    metrics = _metrics(histories, metrics)
    num_columns = min(3, len(metrics))
    num_rows = -(-len(metrics) // num_columns)
    figure = new_figure(1 + 3.5 * num_columns, 0.5 + 2.7 * num_rows)
    panels = figure.subplots(num_rows, num_columns, squeeze=False).ravel()
    for axes, metric in zip(panels, metrics, strict=False):
        for number, name in enumerate(histories):
            _draw_metric(axes, *histories[name], metric, f"C{number % 10}")
        _finish_panel(axes, metric)
        _draw_stages(axes, stages or {})
    for axes in panels[len(metrics) :]:
        axes.remove()
    _add_legend(figure, histories)
    return figure


def _by_name(history):
    """Returns a dict of names to pairs of epochs and dict of values."""
    values = getattr(history, "history", history)
    if not isinstance(values, dict):
        raise ValueError(
            "`history` must be the `History` that `fit()` returns, its dict "
            "`history`, or a dict of names to them. "
            f"Received: history={history!r}"
        )
    if any(_is_history(value) for value in values.values()):
        return {str(name): _with_epochs(part) for name, part in values.items()}
    return {"": _with_epochs(history)}


def _is_history(value):
    return isinstance(value, dict) or hasattr(value, "history")


def _with_epochs(history):
    values = getattr(history, "history", history)
    if not isinstance(values, dict):
        raise ValueError(
            "Every value must be a history where one of them is. "
            f"Received: {history!r}"
        )
    if not all(map(np.iterable, values.values())):
        raise ValueError(
            "A history must have a list per metric, one value per epoch. "
            f"Received: {values!r}"
        )
    num_epochs = max(map(len, values.values()), default=0)
    # A resumed run knows at which epoch it started.
    epochs = getattr(history, "epoch", None) or range(num_epochs)
    return np.asarray(epochs) + 1, values


def _metrics(histories, metrics):
    available = dict.fromkeys(
        name.removeprefix("val_")
        for _, values in histories.values()
        for name in values
    )
    chosen = list(available) if metrics is None else list(metrics)
    unknown = [name for name in chosen if name not in available]
    if unknown or not chosen:
        raise ValueError(
            "`metrics` must hold one metric or more, and each must be in a "
            f"history. There are {list(available)}. "
            f"Received: metrics={metrics!r}"
        )
    return chosen


def _draw_metric(axes, epochs, values, metric, color):
    for name, label, style in (
        (metric, "training", "-"),
        (f"val_{metric}", "validation", "--"),
    ):
        if name in values:
            line = np.asarray(values[name], float)
            axes.plot(
                _epochs_of(name, line, epochs),
                line,
                style,
                color=color,
                label=label,
                marker="o" if len(line) <= 20 else None,
                markersize=3,
            )


def _epochs_of(name, line, epochs):
    if len(line) == len(epochs):
        return epochs
    # With `validation_freq=3`, validation follows every third epoch. Several
    # frequencies may give as many values: rather one that ends with the last.
    possible = [
        measured
        for every in range(2, 1 + max(epochs, default=0))
        if len(measured := epochs[epochs % every == 0]) == len(line)
    ]
    possible.sort(key=lambda measured: measured[-1] != epochs[-1])
    if not len(line) or not possible:
        raise ValueError(
            "A metric must have one value per epoch, or per validation. "
            f"Received: {len(line)} values of {name!r} in {len(epochs)} epochs"
        )
    return possible[0]


def _finish_panel(axes, metric):
    title = shown_name(metric.replace("_", " "), 40)
    axes.set_title(title, fontsize="medium", **PLAIN)
    count_epochs(axes)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    drawn = np.concatenate([line.get_ydata() for line in axes.lines])
    drawn = drawn[np.isfinite(drawn)]
    # Learning rates go down by powers of ten.
    if drawn.size and drawn.min() > 0 and drawn.max() > 50 * drawn.min():
        axes.set_yscale("log")


def _draw_stages(axes, stages):
    if stages:
        axes.margins(y=0.15)  # Room for the names, above the lines.
    low, high = axes.get_xlim()
    for epoch, stage in sorted(stages.items(), key=lambda item: item[0]):
        # Stages count epochs from 0, points from 1.
        position = epoch + 0.5
        if 1 < position < high:
            axes.axvline(position, color="0.5", linewidth=1, linestyle=":")
        if position < high:
            axes.text(
                max(position, low),
                0.99,
                f" {shown_name(_stage_name(stage), 24)}",
                transform=axes.get_xaxis_transform(),
                fontsize="x-small",
                color="0.35",
                va="top",
                **PLAIN,
            )


def _stage_name(stage):
    if isinstance(stage, int):
        return f"top {stage}" if stage else "frozen"
    if isinstance(stage, (list, tuple)):
        return f"{len(stage)} layers"
    return stage if isinstance(stage, str) else "chosen"


def _add_legend(figure, histories):
    lines = [line for axes in figure.axes for line in axes.lines]
    styles = {
        line.get_label(): line.get_linestyle()
        for line in lines
        if line.get_label() in ("training", "validation")
    }
    entries = []
    for number, name in enumerate(histories):
        if name:
            entries.append((shown_name(name), "-", f"C{number % 10}"))
    color = "0.3" if entries else "C0"
    if not entries or "validation" in styles:
        entries += [(label, style, color) for label, style in styles.items()]
    # In inches: a short line, and letters of 10 points.
    width = 0.7 + 0.09 * max(len(label) for label, _, _ in entries)
    handles = [
        lines[0].__class__([], [], linestyle=style, color=color, label=label)
        for label, style, color in entries
    ]
    legend = figure.legend(
        handles=handles,
        loc="outside upper center",
        ncols=min(len(handles), 5, max(1, int(figure.get_figwidth() / width))),
        frameon=False,
    )
    for text in legend.get_texts():
        text.set(**PLAIN)
