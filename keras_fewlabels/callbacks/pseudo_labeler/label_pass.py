"""One pass over the unlabelled images: predict, and apply the policy."""

import dataclasses
import math

import keras
import numpy as np
from keras import ops

from keras_fewlabels.data.sources.read_ahead import ReadAhead
from keras_fewlabels.foundation import fingerprint

# Batches that are predicted, stored and exchanged at a time.
_BATCHES_PER_PIECE = 64
# Bytes of the images of a piece, unless a single batch has more. The next piece
# is read beside it.
_MOST_BYTES = 2**27


@dataclasses.dataclass
class Labels:
    """The pseudo-labels of all unlabelled images.

    Of several labels per image, `classes`, `confidence` and `kept` have a
    column for each: whether it is true (1 or 0), how sure that is, and whether
    the policy keeps it.

    Attributes:
        classes: Int32 array of shape `(num_images,)`, the most probable class
            of each target.
        confidence: Float32 array of shape `(num_images,)`, the highest
            probability that the teacher predicts.
        kept: Boolean array of shape `(num_images,)`, the images that the
            policy keeps.
        targets: Float16 array of shape `(num_images, num_classes)`, or `None`
            if every target is a single class.
    """

    classes: np.ndarray
    confidence: np.ndarray
    kept: np.ndarray
    targets: np.ndarray | None = None


class LabelPass:
    """Labels all images of a source, a piece at a time.

    Several workers predict one piece each and exchange the probabilities.
    Every worker then applies the policy to all pieces in their order.

    Args:
        source: `ImageSource` of the unlabelled images.
        worker: `OnlyWorker`, or one of several, with the model that labels.
        policy: `policies.Policy`, built.
        scores: `ClassScores`, the kind of scores of the model.
        num_classes: Int.
        batch_size: Int, images that are predicted at a time.
        store: Optional `ArrayStore`. A pass that is killed and started again
            reads the finished pieces from it.
    """

    def __init__(
        self,
        source,
        worker,
        policy,
        *,
        scores,
        num_classes,
        batch_size,
        store=None,
    ):
        self.source = source
        self.worker = worker
        self.policy = policy
        self.scores = scores
        self.num_classes = num_classes
        self.batch_size = batch_size
        self.store = store
        bytes_per_batch = (
            batch_size * math.prod(source.shape) * source.dtype.itemsize
        )
        num_batches = min(_BATCHES_PER_PIECE, _MOST_BYTES // bytes_per_batch)
        self.piece_size = batch_size * max(1, num_batches)

    def run(self, settings="", verbose=False):
        """Labels the images.

        Args:
            settings: String, the fingerprint of all that the labels depend on
                beside model, policy and batch size. Stored pieces of other
                labels are removed.
            verbose: Boolean. If `True` and there are several pieces, a
                progress bar is shown.

        Returns:
            `Labels`.

        Raises:
            ValueError: If a prediction is not finite, or the policy gives an
                image a weight other than 0 and 1.
        """
        num_images = len(self.source)
        starts = range(0, num_images, self.piece_size)
        self._begin(settings)
        bar = None
        if verbose and len(starts) > 1:
            bar = keras.utils.Progbar(num_images, unit_name="image")
        labeled = []
        with ReadAhead(self.source) as self._reader:
            for number in range(0, len(starts), self.worker.count):
                group = starts[number : number + self.worker.count]
                names = [self._name(number + i) for i in range(len(group))]
                labeled += self._stored(group, names) or self._labeled(
                    group, names
                )
                if bar is not None:
                    bar.update(min(group[-1] + self.piece_size, num_images))
        return self._joined(labeled)

    def _begin(self, settings):
        if self.store is None:
            return
        self._key = fingerprint(
            settings,
            [ops.convert_to_numpy(v) for v in self.worker.model.weights],
            policy_state(self.policy),
            type(self.scores).__name__,
            self.scores.from_logits,
            self.batch_size,
        )
        older = self.store.names("labels_")
        self.store.remove(name for name in older if self._key not in name)

    def _name(self, number):
        return f"labels_{self._key}_{number:05d}" if self.store else None

    def _stored(self, group, names):
        """Returns the stored pieces of a group if all workers have them."""
        if self.store is None:
            return None
        stored = [self.store.read(name, self._key) for name in names]
        complete = np.array([None not in stored], "int32")
        if not self.worker.gather(complete).all():
            return None
        for first, name, piece in zip(group, names, stored, strict=True):
            try:
                self._check_layout(piece, first)
                restore_policy(self.policy, piece)
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(
                    "A file of `cache_dir` has another layout than a piece of "
                    "pseudo-labels. Remove it. Received: "
                    f"{str(self.store.folder / name)!r}.npz ({error!r})"
                ) from None
        return stored

    def _check_layout(self, piece, first):
        size = min(self.piece_size, len(self.source) - first)
        shape, num_answers = (size,), self.num_classes
        if not self.scores.one_true:
            shape, num_answers = (size, self.num_classes), 2
        layout = {
            "classes": ("i", *shape),
            "confidence": ("f", *shape),
            "kept": ("b", *shape),
        }
        if "targets" in piece:
            layout["targets"] = ("f", size, self.num_classes)
        for name, expected in layout.items():
            found = piece[name].dtype.kind, *piece[name].shape
            if found != expected:
                raise ValueError(f"{name} of type and shape {found}")
        if not np.isin(piece["classes"], range(num_answers)).all():
            raise ValueError("classes that do not exist")

    def _labeled(self, group, names):
        """Labels a piece for each worker.

        Args:
            group: Sequence of ints, the first image of each piece.
            names: List of strings, the names of the pieces in the store.

        Returns:
            List with a dict of arrays per piece.
        """
        own = np.empty((0, self.num_classes), "float32")
        if self.worker.index < len(group):
            own = self._probabilities(group[self.worker.index])
        rows = self.worker.gather(own)
        pieces = []
        for first, name in zip(group, names, strict=True):
            piece = self._apply_policy(rows[: self.piece_size], first)
            rows = rows[self.piece_size :]
            if self.store is not None:
                self.store.write(name, self._key, piece)
            pieces.append(piece)
        return pieces

    def _probabilities(self, first):
        after = first + self.worker.count * self.piece_size
        coming = (after, self.piece_size) if after < len(self.source) else None
        images = self._reader.read(first, self.piece_size, coming)
        outputs = self.worker.predict(images, self.batch_size)
        return ops.convert_to_numpy(self.scores.probabilities(outputs))

    def _apply_policy(self, probabilities, first):
        is_finite = np.isfinite(probabilities).all(axis=1)
        if not is_finite.all():
            broken = first + np.flatnonzero(~is_finite)
            raise ValueError(
                "The predictions must be finite. Look for NaN in these images, "
                "or for a training that has diverged. Received: NaN or inf "
                f"for the unlabelled images {broken[:5].tolist()}"
            )
        indices = np.arange(first, first + len(probabilities), dtype="int32")
        targets, weights = map(
            ops.convert_to_numpy,
            self.scores.judge(
                self.policy,
                ops.convert_to_tensor(probabilities),
                training=True,
                indices=ops.convert_to_tensor(indices),
            ),
        )
        if not np.isin(weights, (0, 1)).all():
            raise ValueError(
                "PseudoLabeler needs a policy with weights of 0 and 1, which "
                f"keeps an image or does not. Received: weights from "
                f"{weights.min()} to {weights.max()} of {self.policy.name!r}"
            )
        piece = {
            "classes": self.scores.decide(targets).astype("int32"),
            "confidence": self._confidence(probabilities),
            "kept": weights > 0,
            **policy_state(self.policy),
        }
        if (self._confidence(targets) < 1).any():
            piece["targets"] = targets.astype("float16")
        return piece

    def _confidence(self, probabilities):
        return ops.convert_to_numpy(self.scores.confidence(probabilities))

    def _joined(self, pieces):
        if any("targets" in piece for piece in pieces):
            for piece in pieces:
                rows = self.scores.label_rows(
                    piece["classes"], self.num_classes
                )
                piece.setdefault("targets", rows.astype("float16"))
        parts = {
            field.name: np.concatenate([piece[field.name] for piece in pieces])
            for field in dataclasses.fields(Labels)
            if field.name in pieces[0]
        }
        return Labels(**parts)


def policy_state(policy):
    """Returns the variables of a policy as a dict of arrays."""
    return {
        f"policy_{number}": ops.convert_to_numpy(variable)
        for number, variable in enumerate(policy.variables)
    }


def restore_policy(policy, state):
    """Gives a policy its variables out of a dict with its `policy_state`."""
    for number, variable in enumerate(policy.variables):
        variable.assign(state[f"policy_{number}"])
