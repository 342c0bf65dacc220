import numbers

import keras
import numpy as np
from keras import ops

from keras_fewlabels.policies.ask_policy import check_known
from keras_fewlabels.policies.parts.global_batch import global_batch
from keras_fewlabels.policies.parts.pseudo_targets import pseudo_targets

TABLE_SIZE = 65_536
NEVER_CONFIDENT = -1
NEVER_SEEN = -2


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class FlexMatchPolicy(keras.layers.Layer):
    """Asks less confidence of classes that are learned slowly.

    With one threshold for all, the classes that are hard to learn contribute
    no pseudo-labels and stay hard. Here a class's threshold follows how many
    unlabelled images were last predicted to be of it with confidence: with
    `b` that number over the largest of all classes, its threshold is
    `threshold * b / (2 - b)`.

    With `warm_up`, the number is also compared to that of the images never
    predicted with confidence, so that thresholds grow from 0 with what is
    learned: in the first steps *every* image counts, as in the reference.

    Reference:
        - [Zhang et al., 2021](https://arxiv.org/abs/2110.08263). As in their
          code, a batch is judged by the thresholds that the batches before it
          made.

    Args:
        threshold: Float in `[0, 1]`, the confidence at which an image is
            counted for its class, and the highest threshold of a class.
        warm_up: Boolean, see above.
        num_unlabeled: Optional int, the number of unlabelled images. Those
            not seen yet then count as never confident, as in the reference.
            By default only images seen so far count, in a table of 65,536
            entries. Either way an image has the entry `index % size`, so that
            the images of a larger dataset share entries: the one seen last
            counts.
        soft: Boolean, whether the target is the whole distribution rather
            than the likeliest class.
        **kwargs: As for every Keras layer. The dtype is float32 by default,
            whatever the global policy.

    Call arguments:
        probabilities: Float tensor of shape `(batch, num_classes)`.
        training: Boolean. The table changes only if it is `True`.
        indices: Int tensor of shape `(batch,)`, which unlabelled image each
            row is; the same image has the same number in every epoch. Needed
            if `training`. Of an image that is in a batch twice, the last
            confident prediction counts.

    Returns:
        `(targets, weights)`: floats of shapes `(batch, num_classes)` and
        `(batch,)`; weights are 0 or 1.

    Raises:
        ValueError: If an argument is out of its range, or `indices` are
            missing in training or no ints.

    Example:

    >>> policy = keras_fewlabels.policies.FlexMatchPolicy(
    ...     threshold=0.9, num_unlabeled=4
    ... )
    >>> batch = np.array(3 * [[0.95, 0.05]] + [[0.4, 0.6]], "float32")
    >>> _ = policy(batch, training=True, indices=np.arange(4))
    >>> keras.ops.convert_to_numpy(policy.thresholds())  # 1 is hard to learn
    array([0.9, 0. ], dtype=float32)
    """

    def __init__(
        self,
        threshold=0.95,
        warm_up=True,
        num_unlabeled=None,
        soft=False,
        **kwargs,
    ):
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        if not (isinstance(threshold, numbers.Real) and 0 <= threshold <= 1):
            raise ValueError(
                "`threshold` is a probability and must be in [0, 1]. "
                f"Received: threshold={threshold!r}"
            )
        is_count = isinstance(num_unlabeled, numbers.Integral)
        if num_unlabeled is not None and not (is_count and num_unlabeled > 0):
            raise ValueError(
                "`num_unlabeled` is the number of unlabelled images; leave it "
                "out if it is not known. Received: "
                f"num_unlabeled={num_unlabeled!r}"
            )
        self.threshold = threshold
        self.warm_up = warm_up
        self.num_unlabeled = num_unlabeled
        self.soft = soft

    def build(self, input_shape):
        num_classes, size = input_shape[-1], self.num_unlabeled or TABLE_SIZE
        unseen = NEVER_SEEN if self.num_unlabeled is None else NEVER_CONFIDENT
        # The last confident label of each image.
        self.table = self._add_ints("table", np.full(size, unseen))
        # How many images have each label; last, how many have none.
        counts = [0] * num_classes + [self.num_unlabeled or 0]
        self.counts = self._add_ints("counts", counts)

    def call(self, probabilities, training=None, indices=None):
        confidence = ops.max(probabilities, axis=-1)
        labels = ops.cast(ops.argmax(probabilities, axis=-1), "int32")
        thresholds = ops.take(self.thresholds(), labels)
        weights = ops.cast(confidence >= thresholds, self.compute_dtype)
        if training:
            check_known(self, indices=indices)
            confident = confidence >= self.threshold
            self._note(indices, ops.where(confident, labels, NEVER_CONFIDENT))
        return pseudo_targets(probabilities, self.soft), weights

    def thresholds(self):
        """The threshold of each class now, shape `(num_classes,)`."""
        counts = ops.cast(self.counts, self.compute_dtype)
        largest = ops.max(counts if self.warm_up else counts[:-1])
        learned = counts[:-1] / ops.maximum(largest, 1)
        return self.threshold * learned / (2 - learned)

    def _note(self, indices, labels):
        """Enters labels, -1 where not confident, in the table and counts."""
        indices = ops.convert_to_tensor(indices)
        if not keras.backend.is_int_dtype(indices.dtype):
            raise ValueError(
                "`indices` are numbers of images and must be ints. Received: "
                f"dtype={keras.backend.standardize_dtype(indices.dtype)}"
            )
        size = self.table.shape[0]
        indices = ops.cast(ops.mod(indices, size), "int32")
        rows = global_batch(ops.stack([indices, labels], axis=1))
        indices, labels = rows[:, 0], rows[:, 1]
        # Of the rows of one image the last confident one decides, or, where
        # there is none, the last.
        num_rows = ops.shape(indices)[0]
        ranks = ops.cumsum(ops.ones_like(indices)) - 1
        ranks += num_rows * ops.cast(labels >= 0, "int32")
        best = ops.segment_max(ranks, indices, num_segments=size)
        best = ops.take(best, indices)
        old = ops.take(self.table, indices)
        new = ops.maximum(old, NEVER_CONFIDENT)
        new = ops.where(labels >= 0, labels, new)
        # All rows of an image write the same, whatever their order.
        new = ops.take(new, best % num_rows)
        self.table.assign(
            ops.scatter_update(self.table, ops.expand_dims(indices, 1), new)
        )
        counted = np.append(np.arange(self.counts.shape[0] - 1), -1)
        old, new = (
            ops.cast(ops.expand_dims(numbers, 1) == counted, "int32")
            for numbers in (old, new)
        )
        decides = ops.cast(ops.expand_dims(best == ranks, 1), "int32")
        self.counts.assign_add(ops.sum(decides * (new - old), axis=0))

    def _add_ints(self, name, values):
        values = np.asarray(values, "int32")
        return self.add_weight(
            shape=values.shape,
            initializer=lambda *args, **kwargs: ops.convert_to_tensor(values),
            dtype="int32",
            trainable=False,
            aggregation="only_first_replica",
            name=name,
        )

    def compute_output_shape(self, input_shape):
        return tuple(input_shape), tuple(input_shape[:-1])

    def get_config(self):
        config = super().get_config()
        config.update(
            {
                "threshold": self.threshold,
                "warm_up": self.warm_up,
                "num_unlabeled": self.num_unlabeled,
                "soft": self.soft,
            }
        )
        return config
