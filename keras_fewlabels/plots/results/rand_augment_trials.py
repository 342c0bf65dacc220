from keras_fewlabels.plots.figure import new_figure


def rand_augment_trials(accuracies, suggestion):
    """Draws the accuracy over the magnitude, with a line per number of ops.

    Args:
        accuracies: Dict of pairs `(num_ops, magnitude)` to accuracies in 0 to
            1. `(0, 0)` is training without augmentation, a dashed line.
        suggestion: Pair to mark, one of `accuracies`.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    figure = new_figure(5, 3.2)
    axes = figure.subplots()
    for num_ops in sorted({num_ops for num_ops, _ in accuracies} - {0}):
        points = sorted(
            (magnitude, 100 * accuracy)
            for (count, magnitude), accuracy in accuracies.items()
            if count == num_ops
        )
        label = f"{num_ops} op{'s' if num_ops > 1 else ''}"
        axes.plot(*zip(*points, strict=True), marker="o", label=label)
    if (0, 0) in accuracies:
        axes.axhline(
            100 * accuracies[0, 0],
            color="grey",
            linestyle="--",
            label="no augmentation",
        )
    best = 100 * accuracies[suggestion]
    num_ops, magnitude = suggestion
    if num_ops:
        axes.plot(magnitude, best, "o", color="C3", markersize=10, zorder=0)
    title = f"{best:.1f} % with num_ops={num_ops}, magnitude={magnitude}"
    axes.set_title(title, fontsize="medium")
    axes.set(xlabel="magnitude", ylabel="validation accuracy in %")
    axes.legend(frameon=False, fontsize="small")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    return figure
