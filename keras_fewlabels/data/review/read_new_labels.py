import collections
import warnings

import numpy as np

from keras_fewlabels.data.review.image_table import (
    find_images,
    one_answer_each,
    read_image_table,
)
from keras_fewlabels.data.sources import image_source
from keras_fewlabels.foundation import (
    check_bool,
    check_class_names,
    printable,
)

# What people write where no label is true, and between several.
_NONE, _BETWEEN = "none", ";"


def read_new_labels(
    unlabeled,
    file,
    *,
    class_names=None,
    return_origins=False,
    several_labels=False,
):
    r"""Reads the labels that people wrote into the file of proposed images.

    `evaluation.next_to_label` proposes images and writes the file with an
    empty column `label`. Fill in the labels you know and leave the others
    empty. Images in one folder per class need no such file: move them into
    the folders of their classes, which the next run reads.

    Args:
        unlabeled: The unlabelled images: an array
            `(num_images, height, width, channels)`, or an object that is
            indexed like one; or a `tf.data.Dataset` or `PyDataset` of images
            in a fixed order. Images are found by path, or by content.
        file: Path of the CSV file.
        class_names: Optional sequence of strings, one per class. The file may
            then hold names in place of the numbers of classes.
        return_origins: Boolean, whether to say who gave each label and when.
        several_labels: Boolean, whether several labels may be true of an
            image. The file then holds all that are, with `;` between, or
            `none`; and `class_names` must be passed.

    Returns:
        `(indices, labels)`: two int64 arrays, the indices of the images that
        now have a label and are still among the unlabelled ones, each once,
        and their classes. Several labels are float32 rows of 0 and 1, with a
        column for each. A warning counts the labels of other images.
        With `return_origins`, a third one is a list of dicts of strings:
        `file`, `by` and `at`, as the page of the proposals wrote them into
        the columns `answered_by` and `answered_at`; `""` where they are not
        known.

    Raises:
        ValueError: If the file was not written by a proposal, none of the
            labelled images is in `unlabeled`, an image has two answers, or a
            label is neither the number nor the name of a class. Numbers are
            names if some of the `class_names` are numbers.

    Example:

    >>> import tempfile
    >>> images = np.arange(6, dtype="uint8").reshape(6, 1, 1, 1)
    >>> file = f"{tempfile.mkdtemp()}/to_label.csv"
    >>> with open(file, "w") as opened:
    ...     _ = opened.write("label,index,path,hash\n")
    ...     _ = opened.write("cat,4,,98ff6222caa0feee\n")
    >>> indices, labels = keras_fewlabels.data.read_new_labels(
    ...     images, file, class_names=["ant", "cat"]
    ... )
    >>> new = images[indices], labels  # To join the labelled ones,
    >>> x_unlabeled = np.delete(images, indices, axis=0)  # and to leave here.
    >>> labels, len(x_unlabeled)
    (array([1]), 5)
    """
    check_class_names(class_names)
    check_bool(return_origins, "return_origins")
    check_bool(several_labels, "several_labels")
    table = f"The file of labels {str(file)!r}"
    rows = read_image_table(file, "label", "file")
    rows = [row for row in rows if row["label"].strip()]
    numbers = _ClassNumbers(class_names, file)
    if several_labels:
        labels = _label_rows([row["label"] for row in rows], numbers)
    else:
        labels = np.array([numbers[row["label"]] for row in rows], "int64")
    indices = find_images(rows, image_source(unlabeled), table)
    is_there = indices >= 0
    if not is_there.all():
        warnings.warn(
            f"{(~is_there).sum()} of the {len(rows)} labels of {str(file)!r} "
            "are not used, because their images are not among the unlabelled "
            "ones any more.",
            stacklevel=2,
        )
    places = np.flatnonzero(is_there)
    one_answer_each(indices[places], labels[places].tolist(), table)
    _, first = np.unique(indices[places], return_index=True)
    places = places[np.sort(first)]
    if not return_origins:
        return indices[places], labels[places]
    origins = [
        {
            "file": str(file),
            "by": rows[place].get("answered_by") or "",
            "at": rows[place].get("answered_at") or "",
        }
        for place in places
    ]
    return indices[places], labels[places], origins


def _label_rows(cells, numbers):
    """Returns a row of 0 and 1 for each cell with several labels."""
    names = numbers.names or ()
    is_clear = [_BETWEEN not in n and n.strip().lower() != _NONE for n in names]
    if not names or not all(is_clear):
        raise ValueError(
            "Several labels need `class_names`, a name for each column, "
            f"without {_BETWEEN!r}, and none called {_NONE!r}. "
            f"Received: class_names={numbers.names!r}"
        )
    rows = np.zeros((len(cells), len(names)), "float32")
    for row, cell in zip(rows, cells, strict=True):
        if cell.strip().lower() != _NONE:
            parts = [part for part in cell.split(_BETWEEN) if part.strip()]
            row[[numbers[part] for part in parts or [cell]]] = 1
    return rows


class _ClassNumbers:
    """The numbers of the classes that people write, by name or as they are.

    Args:
        class_names: Sequence of strings, or `None`.
        file: Path, which the error names.
    """

    def __init__(self, class_names, file):
        self.file = str(file)
        names = None if class_names is None else list(map(str, class_names))
        self.names = names
        self.exact = {name: n for n, name in enumerate(names or ())}
        # Names as they are shown, and as people and spreadsheets write them:
        # without blanks around, and without zeros in front.
        self.similar = collections.defaultdict(set)
        for number, name in enumerate(names or ()):
            shown = printable(name).strip()
            self.similar[shown].add(number)
            if shown.isdecimal():
                self.similar[shown.lstrip("0") or "0"].add(number)
        # Numbers are names where names are numbers.
        self.are_numbers = not any(map(str.isdecimal, self.similar))

    def __getitem__(self, label):
        if label in self.exact:
            return self.exact[label]
        label = printable(label).strip()
        similar = self.similar.get(label, ())
        if len(similar) == 1:
            return min(similar)
        most = 10**9 if self.names is None else len(self.names)
        is_number = label.isdecimal() and len(label) < 10
        if not similar and self.are_numbers and is_number and int(label) < most:
            return int(label)
        expected = "numbers of classes, from 0"
        if self.names is not None:
            expected = f"one of {self.names}"
        raise ValueError(
            f"The column `label` must hold {expected}, or nothing. "
            f"Received: {label[:99]!r} in {self.file!r}"
        )
