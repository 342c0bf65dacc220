import numpy as np

from keras_fewlabels.foundation import check_class_names
from keras_fewlabels.plots.figure import (
    OUTLINE,
    RIGHT,
    WRONG,
    count_epochs,
    label_places,
    new_figure,
)

_NO_LABEL = "0.8"
# Finer towards 1, where most confidences of trained networks are.
_BINS = (
    *(0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
    *(0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999, 1),
)
# More names would not be legible.
_MAX_NAMES = 30


def pseudo_labels(labels, rounds, class_names=None):
    """Draws the labels of a `PseudoLabeler` in three panels.

    - Confidence: a histogram of the confidence of the model, with and without
      a label. The bins grow narrower towards 1. If many labels of the highest
      confidence are wrong, no threshold will help.
    - Classes: the number of labels of each class. A class that grows while
      others shrink receives wrong labels.
    - Rounds: the share of images with a label. Each round is drawn at the
      epoch that begins with it, counted from 1, as Keras prints them.

    If the truth is known, labels are split into right and wrong ones, an
    outline shows the true number of images of each class, and a second line
    shows the share of labels that are right.

    Args:
        labels: Dict that `PseudoLabeler.to_dict()` returns, or a
            `pandas.DataFrame` of it, with the columns `label`, `confidence`
            and, if it is known, `truth`.
        rounds: `PseudoLabeler.rounds`, with at least one round.
        class_names: Optional sequence of strings, one per class. They are
            not drawn if there are more than 30 classes.

    Returns:
        A `matplotlib.figure.Figure`. `figure.savefig("labels.png")` writes it;
        pyplot does not manage it, and nothing is shown.

    Raises:
        ValueError: If there is no round, a column is missing, there is not
            one name per class, or images have several labels.
        ImportError: If matplotlib is not installed.

    Example:

    >>> labels = {
    ...     "label": np.array([0, 0, 1, -1]),
    ...     "confidence": np.array([0.99, 0.96, 0.97, 0.6]),
    ...     "truth": np.array([0, 1, 1, 0]),
    ... }
    >>> rounds = [{"epoch": 0, "share": 0.75, "class_counts": [2, 1]}]
    >>> figure = keras_fewlabels.plots.pseudo_labels(labels, rounds)
    >>> [text.get_text() for text in figure.legends[0].get_texts()]
    ['right: 2', 'wrong: 1', 'no label: 1', 'all images, by truth']
    """
    label, confidence, truth = _columns(labels)
    if not rounds:
        raise ValueError(
            "`rounds` must hold a round of labelling. Pass the `rounds` that "
            "a `PseudoLabeler` has after `fit()`. Its first round is in epoch "
            f"`start`. Received: rounds={rounds!r}"
        )
    num_classes = len(rounds[-1]["class_counts"])
    check_class_names(class_names, num_classes)
    groups = _groups(label, truth)
    num_lines = num_classes if num_classes <= _MAX_NAMES else 0
    figure = new_figure(11, max(3.4, 1.2 + 0.17 * num_lines))
    panels = figure.subplots(1, 3)
    _draw_confidence(panels[0], confidence, groups)
    _draw_classes(panels[1], label, truth, groups, num_classes, class_names)
    _draw_rounds(panels[2], rounds)
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
    handles, names = panels[0].get_legend_handles_labels()
    more_handles, more_names = panels[1].get_legend_handles_labels()
    figure.legend(
        handles + more_handles,
        names + more_names,
        loc="outside upper left",
        ncols=4,
        frameon=False,
    )
    return figure


def _columns(labels):
    """Returns label, confidence and truth of each image, or no truth."""
    names = set(getattr(labels, "keys", list)())
    missing = {"label", "confidence"} - names
    if "label_0" in names:
        raise ValueError(
            "`labels` must be those of images of one class each. Several "
            "labels per image are not drawn; `PseudoLabeler.rounds` counts "
            f"them. Received: columns {sorted(map(str, names))[:9]}"
        )
    if missing:
        raise ValueError(
            "`labels` must be the dict that `PseudoLabeler.to_dict()` returns. "
            f"Received: {type(labels).__name__} without {sorted(missing)}"
        )
    label, confidence = map(np.asarray, (labels["label"], labels["confidence"]))
    truth = np.asarray(labels["truth"]) if "truth" in labels else None
    columns = [label, confidence] + ([] if truth is None else [truth])
    shapes = [column.shape for column in columns]
    if len(set(shapes)) > 1 or label.ndim != 1:
        raise ValueError(
            "`labels` must hold one value per image in each column. "
            f"Received: columns of shapes {shapes}"
        )
    return label, confidence, truth


def _groups(label, truth):
    """Returns a dict of names to a mask of the images, and their colour."""
    has_label = label >= 0
    if truth is None:
        groups = {"with a label": (has_label, RIGHT)}
    else:
        groups = {
            "right": (has_label & (label == truth), RIGHT),
            "wrong": (has_label & (label != truth), WRONG),
        }
    return groups | {"no label": (~has_label, _NO_LABEL)}


def _draw_confidence(axes, confidence, groups):
    # The sum of probabilities is off by a rounding error.
    confidence = np.clip(confidence, 0, 1)
    base = np.zeros(len(_BINS) - 1)
    for name, (chosen, color) in groups.items():
        counts, _ = np.histogram(confidence[chosen], _BINS)
        axes.bar(
            np.arange(len(base)) + 0.5,
            counts,
            width=0.9,
            bottom=base,
            color=color,
            label=f"{name}: {chosen.sum():,}",
        )
        base = base + counts
    axes.set_xticks(range(len(_BINS)), _BINS, fontsize="small", rotation=90)
    axes.set_title("confidence", fontsize="medium")
    axes.set(xlabel="probability of the likeliest class", ylabel="images")


def _draw_classes(axes, label, truth, groups, num_classes, class_names):
    has_names = num_classes <= _MAX_NAMES
    base, edges = np.zeros(num_classes), np.arange(num_classes + 1) - 0.5
    for chosen, color in list(groups.values())[:-1]:
        counts = np.bincount(label[chosen], minlength=num_classes)
        if has_names:
            axes.barh(range(num_classes), counts, left=base, color=color)
        else:
            # One shape, since thousands of bars take a minute.
            axes.stairs(
                base + counts,
                edges,
                baseline=base,
                orientation="horizontal",
                fill=True,
                color=color,
            )
        base = base + counts
    if truth is not None:
        axes.stairs(
            np.bincount(truth, minlength=num_classes),
            edges,
            orientation="horizontal",
            color=OUTLINE,
            label="all images, by truth",
        )
    axes.set_title("classes of the labels", fontsize="medium")
    axes.set(xlabel="images", ylim=(num_classes - 0.5, -0.5))
    if has_names:
        names = range(num_classes) if class_names is None else class_names
        label_places(axes.yaxis, names)
    else:
        axes.set_ylabel("class")


def _draw_rounds(axes, rounds):
    epochs = [labeling["epoch"] + 1 for labeling in rounds]
    lines = {"share": ("share with a label", OUTLINE)}
    if "accuracy" in rounds[-1]:
        lines["accuracy"] = ("share of these that is right", RIGHT)
    for key, (name, color) in lines.items():
        values = [labeling[key] for labeling in rounds]
        axes.plot(
            epochs,
            values,
            color=color,
            marker="o" if len(values) <= 20 else None,
            markersize=4,
            label=f"{name}: {values[-1]:.0%}".replace("nan%", "none"),
        )
    axes.set_title("rounds", fontsize="medium")
    axes.set_ylim(-0.02, 1.05)
    axes.set_xlim(epochs[0] - 0.5, epochs[-1] + 0.5)
    count_epochs(axes)
    if len(epochs) <= 10:
        axes.set_xticks(epochs)
    axes.yaxis.set_major_formatter("{x:.0%}")
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small", edgecolor="none")
