"""The pseudo-labels of every unlabelled image, round by round."""

import json

import numpy as np


class LabelRecord:
    """The pseudo-labels of a fit and where they come from.

    Of several labels per image, the arrays have a column for each. A label is
    then 1 or 0, or -1 where it is not kept.

    Args:
        num_images: Int, the number of unlabelled images.
        truth: Optional int array of their true classes, or rows of 0 and 1.
        num_labels: Optional int, how many labels each image has, of which
            several may be true.

    Attributes:
        labels: Int32 array, the class of each image, -1 where none is kept.
        predicted: Int32 array, the most probable class, kept or not; -1
            before the first round.
        confidence: Float32 array, the probability of the most probable class;
            NaN before the first round.
        first_kept: Int32 array, the round, from 0, in which the image first
            had a label; -1 if it never had one.
        num_changes: Int32 array, the number of times that the image got a
            label that differs from the label before.
        targets: Float16 array of soft targets, or `None`.
        chosen: Int array, the images to train on, each as often as it is
            trained on in an epoch.
        rounds: List with a dict per round.
        stopped: String, the reason for which labelling stopped; `None` while
            it goes on.
    """

    _ARRAYS = (
        "labels",
        "predicted",
        "confidence",
        "first_kept",
        "num_changes",
        "_last_label",
    )

    def __init__(self, num_images, truth=None, num_labels=None):
        self.truth = truth
        shape = num_images if num_labels is None else (num_images, num_labels)
        self.labels = np.full(shape, -1, "int32")
        self.predicted = np.full(shape, -1, "int32")
        self.confidence = np.full(shape, np.nan, "float32")
        self.first_kept = np.full(shape, -1, "int32")
        self.num_changes = np.zeros(shape, "int32")
        self._last_label = np.full(shape, -1, "int32")
        self.targets = None
        self.chosen = np.empty(0, "int64")
        self.rounds = []
        self.stopped = None

    def add(self, epoch, labels, predicted, confidence, num_classes):
        """Adds a round.

        Args:
            epoch: Int, the epoch, from 0, that begins with these labels.
            labels: Int array, the class of each image, -1 where none is kept.
            predicted: Int array, the most probable classes.
            confidence: Float array, their probabilities.
            num_classes: Int.

        Returns:
            Boolean, whether a label or a predicted class differs from the
            round before.
        """
        changed = (labels != self.labels).any()
        changed = bool(changed or (predicted != self.predicted).any())
        kept = labels >= 0
        flipped = kept & (self._last_label >= 0) & (labels != self._last_label)
        self.num_changes[flipped] += 1
        self.first_kept[kept & (self.first_kept < 0)] = len(self.rounds)
        self._last_label[kept] = labels[kept]
        self.labels = labels.astype("int32")
        self.predicted = predicted.astype("int32")
        self.confidence = confidence
        if labels.ndim == 2:
            counts = (labels == 1).sum(axis=0)
        else:
            counts = np.bincount(labels[kept], minlength=num_classes)
        self.rounds.append(
            {
                "epoch": epoch,
                "kept": int(kept.sum()),
                "share": float(kept.mean()),
                "changes": int(flipped.sum()),
                "class_counts": counts.tolist(),
            }
        )
        if self.truth is not None:
            self.rounds[-1]["accuracy"] = self.accuracy()
        return changed

    def share(self):
        """Returns the share of the unlabelled images that have a label.

        Of several labels per image, it is the share of the labels.
        """
        return float(np.mean(self.labels >= 0))

    def any_label(self):
        """Returns a label of each image, -1 where it has none."""
        return self.labels if self.labels.ndim == 1 else self.labels.max(1)

    def num_labeled(self):
        """Returns the number of images that have all of their labels."""
        kept = self.labels.reshape(len(self.labels), -1) >= 0
        return int(kept.all(axis=1).sum())

    def accuracy(self):
        """Returns the share of the labels that are true, NaN without any."""
        kept = self.labels >= 0
        if not kept.any():
            return float("nan")
        return float(np.mean(self.labels[kept] == self.truth[kept]))

    def summary(self):
        """Returns a line about the last round."""
        last = self.rounds[-1]
        if self.labels.ndim == 2:
            return (
                f"{last['kept']:,} of {self.labels.size:,} labels are sure "
                f"({last['share']:.1%}), {last['changes']:,} of them another "
                "than before"
            )
        return (
            f"{last['kept']:,} of {len(self.labels):,} images have a label "
            f"({last['share']:.1%}), {last['changes']:,} of another class "
            "than before"
        )

    def columns(self):
        """Returns a dict of arrays with an entry per image.

        Of several labels there is a column for each, such as `label_0`.
        """
        columns = {
            "label": self.labels,
            "confidence": self.confidence,
            "first_kept": self.first_kept,
            "num_changes": self.num_changes,
        }
        if self.truth is not None:
            columns["truth"] = self.truth
        if self.labels.ndim == 1:
            return columns
        return {
            f"{name}_{number}": column
            for name, rows in columns.items()
            for number, column in enumerate(rows.T)
        }

    def state(self):
        """Returns a dict of arrays for `restore`, without `chosen`."""
        history = json.dumps({"rounds": self.rounds, "stopped": self.stopped})
        state = {name: getattr(self, name) for name in self._ARRAYS}
        if self.targets is not None:
            state["targets"] = self.targets
        return {**state, "history": np.array(history)}

    def restore(self, state):
        """Takes over what `state()` returned.

        Raises:
            ValueError: If an array has another shape or dtype.
            KeyError: If a part is missing.
        """
        history = json.loads(str(state["history"]))
        for name in self._ARRAYS:
            own, other = getattr(self, name), state[name]
            if (own.shape, own.dtype) != (other.shape, other.dtype):
                raise ValueError(
                    f"{name} of shape {other.shape} and dtype {other.dtype}"
                )
        self.rounds, self.stopped = history["rounds"], history["stopped"]
        for name in self._ARRAYS:
            setattr(self, name, state[name])
        self.targets = state.get("targets")
