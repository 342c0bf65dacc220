"""The images of a report's page, which must not grow too large for a mail."""

import numpy as np

from keras_fewlabels.foundation import printable
from keras_fewlabels.loops.report.words.several_labels import answer_names

# Thumbnails of 128 pixels take about 6 KB each in the page: 3 to 4 MB in all.
SIDE = 128
PER_CELL, NUM_EXAMPLES = 24, 600
# Mistakes that are on the page without a click, and on paper.
NUM_MISTAKES = 20


def choose_examples(labels, predicted, confidence):
    """Chooses images for the cells of a confusion matrix.

    Of each cell there are 24 at most, and 600 in all: of mistakes the surest,
    and of right answers the least sure. If that is too many, each cell has
    its first ones. The surest 20 mistakes are always among them.

    Args:
        labels: Int array `(num_images,)`, the true classes.
        predicted: Int array likewise.
        confidence: Float array likewise.

    Returns:
        List of dicts of `index`, `true`, `predicted` and `confidence`, the
        highest confidence first.

    Example:

    >>> from keras_fewlabels.loops.report.page import choose_examples
    >>> truth = np.zeros(70, int)
    >>> chosen = choose_examples(truth, truth, np.linspace(0.5, 1, 70))
    >>> [chosen[place]["index"] for place in (0, -1)]
    [23, 0]
    """
    wrong = predicted != labels
    doubt = np.where(wrong, -confidence, confidence)
    order = np.argsort(doubt, kind="stable")
    cells = np.stack([labels, predicted])[:, order]
    _, cell = np.unique(cells, axis=1, return_inverse=True)
    by_cell = np.argsort(cell.ravel(), kind="stable")
    starts = np.r_[0, np.flatnonzero(np.diff(cell.ravel()[by_cell])) + 1]
    sizes = np.diff(np.r_[starts, len(order)])
    rank = np.empty(len(order), int)
    rank[order[by_cell]] = np.arange(len(order)) - np.repeat(starts, sizes)
    is_first = np.zeros(len(order), bool)
    surest = order[wrong[order]][:NUM_MISTAKES]
    is_first[surest] = True
    chosen = np.lexsort((doubt, ~wrong, rank, ~is_first))
    chosen = chosen[(rank < PER_CELL)[chosen]][:NUM_EXAMPLES]
    chosen = chosen[np.argsort(-confidence[chosen], kind="stable")]
    return [
        {
            "index": int(index),
            "true": int(labels[index]),
            "predicted": int(predicted[index]),
            "confidence": float(confidence[index]),
        }
        for index in chosen
    ]


def shown_examples(details, thumbnails):
    """Returns examples as the page shows them.

    Args:
        details: Dict, see `FitReport`.
        thumbnails: Dict of `"examples"` and `"foreign"` to lists of dicts of
            `src`, `name` and `href`, as of `RunFiles.thumbnails`.

    Returns:
        Dict of `"examples"`, with `true`, `predicted` and `confidence`;
        `"mistakes"`, the surest of these; and `"foreign"`. All have a
        `caption`.
    """
    names = answer_names(details)

    def name(number):
        return printable(number if names is None else names[number])

    rows = (details.get("examined") or {}).get("examples", [])
    examples = [
        {
            **thumbnail,
            **{key: row[key] for key in ("true", "predicted", "confidence")},
            "caption": f"{name(row['true'])}, wrong: {name(row['predicted'])}, "
            f"{100 * row['confidence']:.0f} %",
        }
        for thumbnail, row in zip(
            thumbnails.get("examples", ()), rows, strict=False
        )
    ]
    mistakes = [e for e in examples if e["true"] != e["predicted"]]
    foreign = [
        {
            **thumbnail,
            "caption": f"{100 * row['weight']:.0f} % like the labels",
        }
        for thumbnail, row in zip(
            thumbnails.get("foreign", ()), foreign_rows(details), strict=False
        )
    ]
    return {
        "examples": examples,
        "mistakes": mistakes[:NUM_MISTAKES],
        "foreign": foreign,
    }


def foreign_rows(details):
    """Returns dicts of `index`, `score` and `weight` of foreign images."""
    for phase in details["phases"]:
        if phase.get("pool"):
            return phase["pool"].get("most_foreign", [])
    return []
