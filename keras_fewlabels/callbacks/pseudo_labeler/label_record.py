"""What became of every unlabelled image, round by round."""

import json

import numpy as np


class LabelRecord:
    """The provenance of pseudo-labels.

    Args:
        num_images: Int, the number of unlabelled images.
        truth: Optional int array of their true classes.

    Attributes:
        labels: Int32 array, the class of each image, -1 where none is kept.
        predicted: Int32 array, the likeliest class, also where it is not
            kept; -1 before the first round.
        confidence: Float32 array, the probability of the likeliest class; NaN
            before the first round.
        first_kept: Int32 array, the round, from 0, in which the image first
            had a label; -1 where it never had one.
        num_changes: Int32 array, how often its label was another one than the
            one it had before.
        rounds: List with a dict per round.
        stopped: Why labelling stopped, `None` while it goes on.
    """

    _ARRAYS = (
        "labels",
        "predicted",
        "confidence",
        "first_kept",
        "num_changes",
        "_last",
    )

    def __init__(self, num_images, truth=None):
        self.truth = truth
        self.labels = np.full(num_images, -1, "int32")
        self.predicted = np.full(num_images, -1, "int32")
        self.confidence = np.full(num_images, np.nan, "float32")
        self.first_kept = np.full(num_images, -1, "int32")
        self.num_changes = np.zeros(num_images, "int32")
        self._last = np.full(num_images, -1, "int32")
        self.rounds = []
        self.stopped = None

    def add(self, epoch, labels, predicted, confidence, num_classes):
        """Adds a round.

        Args:
            epoch: Int, the epoch, from 0, that begins with these labels.
            labels: Int array, the class of each image, -1 where none is kept.
            predicted: Int array, the likeliest classes.
            confidence: Float array.
            num_classes: Int.

        Returns:
            Boolean, whether some image was labelled or predicted otherwise
            than in the round before.
        """
        changed = (labels != self.labels).any()
        changed = bool(changed or (predicted != self.predicted).any())
        kept = labels >= 0
        flipped = kept & (self._last >= 0) & (labels != self._last)
        self.num_changes[flipped] += 1
        self.first_kept[kept & (self.first_kept < 0)] = len(self.rounds)
        self._last[kept] = labels[kept]
        self.labels, self.predicted = labels, predicted
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
        """The share of unlabelled images that have a label."""
        return float(np.mean(self.labels >= 0))

    def accuracy(self):
        """The share of labels that are true; NaN if there are none."""
        kept = self.labels >= 0
        if not kept.any():
            return float("nan")
        return float(np.mean(self.labels[kept] == self.truth[kept]))

    def state(self):
        """All of it but the truth, as a dict of arrays for `restore`."""
        history = json.dumps({"rounds": self.rounds, "stopped": self.stopped})
        arrays = {name: getattr(self, name) for name in self._ARRAYS}
        return {**arrays, "history": np.array(history)}

    def restore(self, state):
        """Takes over what `state()` returned."""
        history = json.loads(str(state["history"]))
        self.rounds, self.stopped = history["rounds"], history["stopped"]
        for name in self._ARRAYS:
            setattr(self, name, state[name])
