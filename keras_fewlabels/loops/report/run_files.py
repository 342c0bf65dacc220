"""What a run leaves behind that a dict of figures cannot hold."""

import csv
import dataclasses
import io
import json

import numpy as np

from keras_fewlabels.loops.noisy_student.examine import PoolLabels


@dataclasses.dataclass(frozen=True)
class RunFiles:
    """Models, images and pseudo-labels of a run, to be written as files.

    Args:
        models: Dict of file names without ending to Keras models.
        mistakes: Array of the images that the report calls mistakes, in its
            order, or `None`.
        pool: `PoolLabels`, or `None`.
    """

    models: dict
    mistakes: np.ndarray | None = None
    pool: PoolLabels | None = None

    def save_models(self, folder):
        """Writes each model as a `.keras` file.

        Args:
            folder: Path of a folder that exists.
        """
        for name, model in self.models.items():
            unfinished = folder / f"{name}.part.keras"
            model.save(unfinished)
            unfinished.replace(folder / f"{name}.keras")

    def pseudo_labels_csv(self, details):
        """The pseudo-labels as a table, or `None`.

        Args:
            details: Dict, see `FitReport`.

        Returns:
            String of CSV with a row per unlabelled image, in their order:
            `index`, `file` if it is known, `label` (the class number),
            `class`, `confidence`, and `counts`, 1 if it was sure enough to
            count.
        """
        if self.pool is None:
            return None
        labels, confidence = self.pool.labels, self.pool.confidence
        columns = {"index": range(len(labels))}
        if self.pool.files is not None:
            columns["file"] = self.pool.files
        names = details["data"].get("class_names")
        columns["label"] = labels
        columns["class"] = [names[k] for k in labels] if names else labels
        columns["confidence"] = [f"{share:.4f}" for share in confidence]
        counts = confidence >= details["settings"]["threshold"]
        columns["counts"] = counts.astype(int)
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(columns)
        table.writerows(zip(*columns.values(), strict=True))
        return text.getvalue()


def settings_json(details):
    """What is needed to run the fit again, as JSON.

    Args:
        details: Dict, see `FitReport`.

    Returns:
        String: `settings`, which `fit_noisy_student` takes, `seed` and
        `versions`.
    """
    needed = {name: details[name] for name in ("settings", "seed", "versions")}
    return json.dumps(needed, indent=2)
