from keras_fewlabels.evaluation.review.review_page import (
    VETO_ANSWERS,
    save_review,
)
from keras_fewlabels.foundation import image_name


def save_pool_page(folder, examination, value_range=None):
    """Writes the veto file of a pool, and the page on which it is filled in.

    The page shows the most foreign images and then the copies, each beside
    what it is a copy of. Further images are rows of the file only.

    Args:
        folder: Path of a folder that exists.
        examination: `PoolExamination`.
        value_range: Optional pair of floats, the values of black and white.

    Raises:
        ValueError: If somebody has filled in the file, or no range holds all
            values.
        OSError: If the folder cannot be written to.
        ImportError: If Pillow is not installed.
    """
    weights, is_foreign = examination.weights, examination.is_foreign
    copies = {c.index: c for c in examination.copies if c.part == "unlabeled"}
    pairs = examination.pairs or {}
    indices = [row["index"] for row in examination.rows]
    images = list(examination.images)
    images += [pairs[k][0] for k in indices[len(images) :] if k in pairs]
    shown = indices[: len(images)]

    def kind(index):
        if index in copies:
            return f"copy of {copies[index].other_part}"
        return "foreign" if is_foreign[index] else "like the labels"

    save_review(
        folder,
        _rows(examination, copies),
        title="What is in the pool",
        question="Should this image be left out?",
        file="veto.csv",
        column="veto",
        answers=VETO_ANSWERS,
        images=images,
        captions=[
            f"{100 * weights[k]:.0f} % like the labelled images" for k in shown
        ],
        groups=[kind(k) for k in shown],
        confidences=weights[shown],
        value_range=value_range,
        originals={
            place: (pairs[k][1], _name(copies[k], pairs[k][2]))
            for place, k in enumerate(shown)
            if k in pairs
        },
        facts=str(examination),
        labels=("Kind", "Like the labels"),
    )


def _rows(examination, copies):
    is_suggested = examination.is_foreign
    is_suggested[examination.leaks] = True
    return [
        {
            "rank": place + 1,
            "suggestion": "yes" if is_suggested[row["index"]] else "no",
            "score": f"{examination.scores[row['index']]:.4f}",
            "weight": f"{examination.weights[row['index']]:.4f}",
            "copy_of": _original(copies.get(row["index"])),
            **row,
        }
        for place, row in enumerate(examination.rows)
    ]


def _name(copy, path):
    name = image_name(path, copy.other_index)
    return f"the {copy.other_part} image: {name}"


def _original(copy):
    return "" if copy is None else f"{copy.other_part} {copy.other_index}"
