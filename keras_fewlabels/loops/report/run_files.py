"""The files of a run that a dict of figures cannot hold."""

import dataclasses
import functools
import json

import numpy as np

from keras_fewlabels.data.sources import image_source, is_dataset
from keras_fewlabels.data.sources.some_rows import SomeRows
from keras_fewlabels.foundation import (
    atomic_write,
    csv_text,
    embedded_image,
    file_link,
    image_name,
    printable,
)
from keras_fewlabels.loops.report.page.examples import SIDE

# Unlabelled images that are in memory at a time.
_PIECE = 1024


@dataclasses.dataclass(frozen=True)
class RunFiles:
    """Models, images and pseudo-labels of a run, to be written as files.

    Args:
        models: Dict of file names without ending to Keras models.
        mistakes: Array of the images that the report calls mistakes, in its
            order, or `None`.
        labeler: Function of pieces of images that returns `PseudoLabels`, or
            `None`.
        unlabeled: `ImageSource`, or `None`.
        examined: `ImageSource` of the images that the report examines, or
            `None`.
        known: Pair of an int array, the numbers of unlabelled images, and the
            `PseudoLabels` that the run has made of them, so that `labeler`
            need not; or `None`.
        progress: Optional function of a title and a number of images that
            returns a function of how many are done, which shows that.
    """

    models: dict
    mistakes: np.ndarray | None = None
    labeler: object = None
    unlabeled: object = None
    examined: object = None
    known: object = None
    progress: object = None

    def thumbnails(self, examples, foreign, value_range):
        """Returns small images for the page of a report.

        Args:
            examples: List of dicts with the `index` of an examined image.
            foreign: List of dicts with the `index` of an unlabelled image.
            value_range: Pair of numbers, the values of black and white.

        Returns:
            Dict of `"examples"` and `"foreign"` to lists of dicts of `src`,
            the image; its `name`; and `href`, its file, or `""`. A list is
            empty without the images.
        """
        return {
            "examples": _thumbnails(self.examined, examples, value_range),
            "foreign": _thumbnails(self.unlabeled, foreign, value_range),
        }

    def save_models(self, folder):
        """Writes each model as a `.keras` file into a folder."""
        for name, model in self.models.items():
            with atomic_write(folder / f"{name}.keras") as file:
                model.save(file.name)

    @functools.cached_property
    def pseudo_labels(self):
        """`PseudoLabels` of all unlabelled images, made when first asked for.

        `None` without a labeler, and for a dataset that does not have the
        same order in every pass, so that nobody knows which image is which.
        """
        if self.known is not None:
            return self._completed(*self.known)
        if self.labeler is None:
            return None
        try:
            return self.labeler(self._pieces(self.unlabeled))
        except ValueError:
            # The images were trained on, so that nothing else can be wrong.
            if is_dataset(self.unlabeled.images):
                return None
            raise

    def _completed(self, numbers, known):
        """Returns the `PseudoLabels` of all images by those of some."""
        rest = np.setdiff1d(np.arange(len(self.unlabeled)), numbers)
        if not len(rest):
            return known
        images = image_source(SomeRows(self.unlabeled.images, rest))
        made = self.labeler(self._pieces(images)).probabilities
        probabilities = np.empty((len(self.unlabeled), made.shape[1]))
        probabilities[numbers] = known.probabilities
        probabilities[rest] = made
        return dataclasses.replace(known, probabilities=probabilities)

    def _pieces(self, source):
        """Yields the images of a source, and shows how many are done."""
        count, done = len(source), 0
        show = None
        if self.progress is not None and count > _PIECE:
            show = self.progress("labels", count)
        for images in source.pieces(_PIECE):
            yield images
            done += len(images)
            if show is not None:
                show(done)

    def pseudo_labels_csv(self, class_names=None):
        """Returns the pseudo-labels as a table, or `None`.

        Args:
            class_names: Optional sequence of strings.

        Returns:
            String of CSV with a row per unlabelled image, in their order:
            `index`; `file` if it is known; `label`, `class` and `confidence`,
            the number and name of the class that the model predicts, and its
            probability. A model that was trained with a policy has three
            columns more: `target`, the class that the policy makes a student
            learn; `weight`, how much the image counts in the loss; and
            `counts`, 1 if the weight is not 0. Of several labels per image,
            `labels` has those that are true, with `;` between, or `none`, and
            `confidence` is that of the decision that is least sure; `targets`
            and the mean `weight` are likewise, and the last columns have the
            probability of each label.
        """
        table = self.pseudo_labels
        if table is None:
            return None
        columns = {"index": range(len(table.probabilities))}
        if self.unlabeled.paths is not None:
            columns["file"] = self.unlabeled.paths
        fill = _class_columns if table.scores.one_true else _label_columns
        columns |= fill(table, class_names)
        return csv_text(columns, zip(*columns.values(), strict=True))


def _class_columns(table, names):
    labels = table.probabilities.argmax(axis=1)
    columns = {
        "label": labels,
        "class": [names[k] for k in labels] if names else labels,
        "confidence": _decimals(table.probabilities.max(axis=1)),
    }
    if table.weights is not None:
        columns["target"] = table.targets.argmax(axis=1)
        columns["weight"] = _decimals(table.weights)
        columns["counts"] = (table.weights > 0).astype(int)
    return columns


def _label_columns(table, names):
    """Returns the columns of several labels per image."""
    yes = table.probabilities
    names = [str(name) for name in names or range(yes.shape[1])]

    def written(rows):
        for row in rows > 0.5:
            true = [names[number] for number in np.flatnonzero(row)]
            yield ";".join(true) or "none"

    columns = {
        "labels": written(yes),
        "confidence": _decimals(np.maximum(yes, 1 - yes).min(axis=1)),
    }
    if table.weights is not None:
        columns["targets"] = written(table.targets)
        columns["weight"] = _decimals(table.weights.mean(axis=1))
    for number, name in enumerate(names):
        columns[f"probability of {name}"] = _decimals(yes[:, number])
    return columns


def settings_json(details):
    """Returns what is needed to run the fit again, as JSON.

    Args:
        details: Dict, see `FitReport`.

    Returns:
        String of a dict of `settings`, which `fit_noisy_student` takes,
        `seed` and `versions`.
    """
    needed = {name: details[name] for name in ("settings", "seed", "versions")}
    return json.dumps(needed, indent=2)


def _thumbnails(source, rows, value_range):
    if source is None or not rows:
        return []
    indices = [row["index"] for row in rows]
    try:
        images = source.take(np.array(indices))
    except ValueError:
        # Of a dataset in another order nobody knows which image is which.
        if is_dataset(source.images):
            return []
        raise
    paths = source.paths or [""] * (max(indices) + 1)
    return [
        {
            "src": embedded_image(image, value_range, SIDE),
            "name": printable(image_name(paths[index], index)),
            "href": file_link(paths[index]),
        }
        for index, image in zip(indices, images, strict=True)
    ]


def _decimals(numbers):
    return [f"{number:.4f}" for number in numbers]
