import numpy as np

from keras_fewlabels.plots.figure import new_figure


def corruptions(errors):
    """Draws how often a model errs under each corruption and severity.

    A heat map with the percentage in each cell, and the mean of each row and
    column at its end. Several models stand side by side, in one scale of
    colours.

    Args:
        errors: What `evaluate_corruptions()` returns, the `to_dict()` of it,
            or a dict of names of corruptions to a float in 0 to 1 per
            severity; or a dict of titles to any of these, of the same
            corruptions and severities.

    Returns:
        A `matplotlib.figure.Figure`. `figure.savefig("errors.png")` writes it;
        pyplot does not know it, and nothing is shown.

    Raises:
        ValueError: If there is nothing to draw, errors are not fractions, or
            rows or models differ in what they hold.
        ImportError: If matplotlib is not installed.

    Example:

    >>> figure = keras_fewlabels.plots.corruptions(
    ...     {"fog": [0.25, 0.5], "snow": [0.125, 0.375]}
    ... )
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['25', '50', '38', '12', '38', '25', '19', '44', '31']
    """
    panels = _panels(errors)
    names, severities, _, _ = next(iter(panels.values()))
    figure = new_figure(
        1.8 + len(panels) * (0.45 + 0.45 * len(severities)),
        1.2 + 0.27 * len(names),
    )
    grid = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for axes, (title, panel) in zip(grid, panels.items(), strict=True):
        if panel[:2] != (names, severities):
            raise ValueError(
                "All models must have the same corruptions and severities. "
                f"Received: {title!r} with {panel[:2]} beside "
                f"{(names, severities)}"
            )
        _draw(axes, title, *panel)
    grid[0].set_yticks(range(len(names) + 1), [*names, "mean"])
    return figure


def _panels(errors):
    """Dict of titles to names, severities, array of errors, clean error."""
    values = errors.values() if isinstance(errors, dict) else ()
    is_one = [isinstance(each, dict) or _is_report(each) for each in values]
    if is_one and all(is_one):
        return {title: _panel(each) for title, each in errors.items()}
    return {"": _panel(errors)}


def _is_report(errors):
    return hasattr(errors, "to_dict")


def _panel(errors):
    if _is_report(errors):
        errors = errors.to_dict()
    if not isinstance(errors, dict) or not errors:
        raise ValueError(
            "`errors` must be what `evaluate_corruptions()` returns, or a dict "
            "of names of corruptions to an error per severity. "
            f"Received: errors={errors!r}"
        )
    if "errors" not in errors:
        errors = {"errors": errors}
    rows = [_row(row) for row in errors["errors"].values()]
    lengths = sorted({row.size for row in rows})
    if len(lengths) != 1 or not lengths[0] or any(r.ndim != 1 for r in rows):
        raise ValueError(
            "Each corruption must have an error for each severity. "
            f"Received: errors={errors['errors']}"
        )
    array = np.stack(rows)
    if not ((array >= 0) & (array <= 1)).all():
        raise ValueError(
            "Errors must be fractions in 0 to 1; divide percentages by 100. "
            f"Received: errors from {array.min()} to {array.max()}"
        )
    severities = list(errors.get("severities", range(1, lengths[0] + 1)))
    return list(errors["errors"]), severities, array, errors.get("clean_error")


def _row(errors):
    try:
        return np.asarray(errors, float)
    except (TypeError, ValueError):
        return np.empty(0)


def _draw(axes, title, names, severities, array, clean_error):
    array = np.c_[array, array.mean(axis=1)]
    array = np.r_[array, array.mean(axis=0, keepdims=True)]
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
    # A white line sets the means apart.
    axes.axvline(len(severities) - 0.5, color="white", linewidth=3)
    axes.axhline(len(names) - 0.5, color="white", linewidth=3)
    axes.set_xticks(range(len(severities) + 1), [*severities, "mean"])
    axes.set_xlabel("severity")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    clean = "" if clean_error is None else f" (clean: {100 * clean_error:.0f})"
    axes.set_title(f"{title}\nerror in %{clean}".strip(), fontsize="medium")
