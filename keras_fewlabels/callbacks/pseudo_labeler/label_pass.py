"""One pass over the unlabelled images: predict, and ask the policy."""

import dataclasses
import math

import keras
import numpy as np
from keras import ops

from keras_fewlabels.policies.parts.class_probabilities import (
    class_probabilities,
)

# How many batches are predicted, cached and exchanged at a time.
_BATCHES_PER_PIECE = 64
# Bytes of images in memory at a time, unless a single batch has more.
_MOST_BYTES = 2**28


@dataclasses.dataclass
class Labels:
    """What a pass makes of the unlabelled images.

    Attributes:
        classes: Int32 array of shape `(num_images,)`, the likeliest class of
            each target.
        confidence: Float32 array of shape `(num_images,)`, the probability of
            the teacher's likeliest class.
        kept: Boolean array of shape `(num_images,)`, what the policy keeps.
        targets: Float16 array of shape `(num_images, num_classes)`; `None`
            if every target is a single class.
    """

    classes: np.ndarray
    confidence: np.ndarray
    kept: np.ndarray
    targets: np.ndarray | None = None


class LabelPass:
    """Labels all images of a source, a piece at a time.

    Several workers predict a piece each, exchange the probabilities, and go
    on alike: the policy sees all pieces in their order on every worker.

    Args:
        source: `ImageSource`.
        worker: The `OnlyWorker`, or one of several, that predicts.
        from_logits: Boolean, whether its model gives logits.
        policy: `policies.Policy` that turns probabilities into targets and
            weights.
        num_classes: Int.
        batch_size: Int, images that are predicted at a time.
        cache: Optional `ArrayStore`, in which finished pieces are kept.
        fingerprint: Optional string, what the labels in the cache must have
            been made from.
    """

    def __init__(
        self,
        source,
        worker,
        from_logits,
        policy,
        num_classes,
        batch_size,
        cache=None,
        fingerprint=None,
    ):
        self.source = source
        self.worker = worker
        self.from_logits = from_logits
        self.policy = policy
        self.num_classes = num_classes
        self.batch_size = batch_size
        self.cache = cache
        self.fingerprint = fingerprint
        batch_bytes = batch_size * math.prod(source.shape)
        batch_bytes *= source.dtype.itemsize
        num_batches = min(_BATCHES_PER_PIECE, _MOST_BYTES // batch_bytes)
        self.piece_size = batch_size * max(1, num_batches)

    def run(self, verbose=False):
        """Labels the images.

        Args:
            verbose: Boolean, whether to show a progress bar if there is more
                than one piece.

        Returns:
            `Labels`.

        Raises:
            ValueError: If a prediction is not finite, or the policy gives an
                image a weight other than 0 and 1.
        """
        num_images = len(self.source)
        bar = None
        if verbose and num_images > self.piece_size:
            bar = keras.utils.Progbar(num_images, unit_name="image")
        labeled, group, own = [], [], None
        for number, first in enumerate(range(0, num_images, self.piece_size)):
            size = min(self.piece_size, num_images - first)
            place = number % self.worker.count
            if place == 0:
                group, own = [], np.empty((0, self.num_classes), "float32")
                stored = self._stored(number)
            group.append((number, first, size))
            if stored is None and place == self.worker.index:
                own = self._probabilities(self.source.read(first, size))
            if place == self.worker.count - 1 or first + size == num_images:
                labeled += stored or self._labeled(group, own)
                if bar is not None:
                    bar.update(first + size)
        return self._joined(labeled)

    def _probabilities(self, images):
        outputs = self.worker.predict(images, self.batch_size)
        return ops.convert_to_numpy(
            class_probabilities(outputs, self.from_logits)
        )

    def _labeled(self, group, own):
        """The answers of the policy for the pieces of all workers."""
        rows = self.worker.gather(own)
        answers = []
        for number, first, size in group:
            answers.append(self._ask(rows[:size], first))
            rows = rows[size:]
            if self.cache is not None:
                self.cache.write(
                    self._name(number), self.fingerprint, answers[-1]
                )
        return answers

    def _ask(self, probabilities, first):
        confidence = probabilities.max(axis=1)
        if not np.isfinite(confidence).all():
            broken = first + np.flatnonzero(~np.isfinite(confidence))
            raise ValueError(
                "The predictions must be finite. Look for NaN in these images, "
                "or for a training that has diverged. Received: NaN or inf "
                f"for the unlabelled images {broken[:5].tolist()}"
            )
        numbers = np.arange(first, first + len(probabilities), dtype="int32")
        answers = self.policy(
            ops.convert_to_tensor(probabilities),
            training=True,
            indices=ops.convert_to_tensor(numbers),
        )
        targets, weights = map(ops.convert_to_numpy, answers)
        if not np.isin(weights, (0, 1)).all():
            raise ValueError(
                "PseudoLabeler needs a policy that keeps an image or does "
                f"not. Received: weights from {weights.min()} to "
                f"{weights.max()} of {self.policy.name!r}"
            )
        answer = {
            "classes": targets.argmax(axis=1).astype("int32"),
            "confidence": confidence,
            "kept": weights > 0,
        }
        if (targets.max(axis=1) < 1).any():
            answer["targets"] = targets.astype("float16")
        for index, variable in enumerate(self.policy.variables):
            answer[f"policy_{index}"] = ops.convert_to_numpy(variable)
        return answer

    def _stored(self, number):
        """The cached pieces of a group, `None` unless all have all of them."""
        if self.cache is None:
            return None
        num_pieces = math.ceil(len(self.source) / self.piece_size)
        last = min(number + self.worker.count, num_pieces)
        stored = [
            self.cache.read(self._name(piece), self.fingerprint)
            for piece in range(number, last)
        ]
        complete = np.array([None not in stored], "int32")
        if not self.worker.gather(complete).all():
            return None
        for index, variable in enumerate(self.policy.variables):
            variable.assign(stored[-1][f"policy_{index}"])
        return stored

    def _name(self, number):
        return f"labels_{self.fingerprint}_{number:05d}"

    def _joined(self, pieces):
        if any("targets" in piece for piece in pieces):
            one_hot = np.eye(self.num_classes, dtype="float16")
            for piece in pieces:
                piece.setdefault("targets", one_hot[piece["classes"]])
        parts = {
            field.name: np.concatenate([piece[field.name] for piece in pieces])
            for field in dataclasses.fields(Labels)
            if field.name in pieces[0]
        }
        return Labels(**parts)
