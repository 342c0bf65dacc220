"""The pseudo-labels of every unlabelled image, round by round."""

import json

import numpy as np


class LabelRecord:
    """The pseudo-labels of a fit and where they come from.

    Args:
        num_images: Int, the number of unlabelled images.
        truth: Optional int array of their true classes.

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

    def __init__(self, num_images, truth=None):
        self.truth = truth
        self.labels = np.full(num_images, -1, "int32")
        self.predicted = np.full(num_images, -1, "int32")
        self.confidence = np.full(num_images, np.nan, "float32")
        self.first_kept = np.full(num_images, -1, "int32")
        self.num_changes = np.zeros(num_images, "int32")
        self._last_label = np.full(num_images, -1, "int32")
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
        """Returns the share of the unlabelled images that have a label."""
        return float(np.mean(self.labels >= 0))

    def accuracy(self):
        """Returns the share of the labels that are true, NaN without any."""
        kept = self.labels >= 0
        if not kept.any():
            return float("nan")
        return float(np.mean(self.labels[kept] == self.truth[kept]))

    def summary(self):
        """Returns a line about the last round."""
        last = self.rounds[-1]
        return (
            f"{last['kept']:,} of {len(self.labels):,} images have a label "
            f"({last['share']:.1%}), {last['changes']:,} of another class "
            "than before"
        )

    def columns(self):
        """Returns a dict of arrays with an entry per image."""
        columns = {
            "label": self.labels,
            "confidence": self.confidence,
            "first_kept": self.first_kept,
            "num_changes": self.num_changes,
        }
        if self.truth is not None:
            columns["truth"] = self.truth
        return columns

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
