import warnings

import keras
import numpy as np
from keras import ops

from keras_fewlabels.foundation import (
    check_int,
    check_probability,
    flatten_layers,
)
from keras_fewlabels.policies.parts import global_batch, pseudo_targets
from keras_fewlabels.policies.policy import Policy

_TABLE_SIZE = 65_536
# Entries of the table beside the numbers of classes.
_NEVER_CONFIDENT = -1
_NEVER_SEEN = -2


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class FlexMatchPolicy(Policy):
    """Lowers the threshold of classes that are learned slowly.

    With one threshold for all, the classes that are hard to learn contribute
    no pseudo-labels and stay hard. Here each class counts the unlabelled
    images whose last confident prediction was this class. If `b` is its count
    divided by the largest count, its threshold is `threshold * b / (2 - b)`.

    With `warm_up`, the images that were never predicted with confidence are a
    count of their own. Thresholds then grow from 0 while the model learns: in
    the first steps *every* image counts, as in the reference.

    Reference:
        - [Zhang et al., 2021](https://arxiv.org/abs/2110.08263). As in their
          code, the thresholds for a batch come from the batches before it.

    Args:
        threshold: Float in `[0, 1]`, the confidence at which an image is
            counted for its class, and the highest threshold of a class.
        warm_up: Boolean, see above.
        num_unlabeled: Optional int, the number of unlabelled images. Images
            that were not seen yet then count as never confident, as in the
            reference. By default only images seen so far count, in a table of
            65,536 entries. Either way an image has the entry `index % size`:
            the images of a larger dataset share entries, and the image seen
            last counts.
        soft: Boolean. If `True`, the target is the whole distribution;
            otherwise it is the likeliest class, one-hot.
        **kwargs: As for `Policy`, such as `name` and `dtype`.

    Call arguments:
        probabilities: Float tensor of shape `(batch, num_classes)`.
        training: Boolean. The table changes only if it is `True`.
        indices: Int tensor of shape `(batch,)`, the number of the unlabelled
            image in each row, the same in every epoch. Required if
            `training`. If an image is in a batch twice, its last confident
            prediction counts.

    Returns:
        `(targets, weights)`: floats of shapes `(batch, num_classes)` and
        `(batch,)`; weights are 0 or 1.

    Raises:
        ValueError: If an argument is out of range, or the policy is called
            in training without `indices`, or with `indices` that are not
            ints.

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
        super().__init__(**kwargs)
        check_probability(threshold, "threshold")
        check_int(
            num_unlabeled,
            "num_unlabeled",
            optional=True,
            hint="Leave it out if the number of images is not known",
        )
        self.threshold = threshold
        self.warm_up = warm_up
        self.num_unlabeled = num_unlabeled
        self.soft = soft

    def build(self, input_shape):
        num_classes, size = input_shape[-1], self.num_unlabeled or _TABLE_SIZE
        unseen = _NEVER_SEEN if self.num_unlabeled is None else _NEVER_CONFIDENT
        # The last confident label of each image.
        table = np.full(size, unseen, "int32")
        self.table = self.add_state("table", table, "int32")
        # The number of images of each label, and last of those without one.
        counts = np.zeros(num_classes + 1, "int32")
        counts[-1] = self.num_unlabeled or 0
        self.counts = self.add_state("counts", counts, "int32")

    def call(
        self,
        probabilities,
        training=None,
        indices=None,
        labeled_probabilities=None,
    ):
        confidence = ops.max(probabilities, axis=-1)
        labels = ops.cast(ops.argmax(probabilities, axis=-1), "int32")
        thresholds = ops.take(self.thresholds(), labels)
        weights = ops.cast(confidence >= thresholds, probabilities.dtype)
        if training:
            self.require(indices=indices)
            confident = confidence >= self.threshold
            self._note(indices, ops.where(confident, labels, _NEVER_CONFIDENT))
        return pseudo_targets(probabilities, self.soft), weights

    def thresholds(self):
        """Returns the current threshold of each class, `(num_classes,)`."""
        # Half precision does not hold large counts.
        dtype = keras.backend.result_type(self.variable_dtype, "float32")
        counts = ops.cast(self.counts, dtype)
        largest = ops.max(counts if self.warm_up else counts[:-1])
        learned = counts[:-1] / ops.maximum(largest, 1)
        thresholds = self.threshold * learned / (2 - learned)
        return ops.cast(thresholds, self.variable_dtype)

    def _note(self, indices, labels):
        """Updates table and counts with labels, -1 where not confident."""
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
        # The last confident row of an image decides, or, where no row is
        # confident, the last row.
        num_rows = ops.shape(indices)[0]
        ranks = ops.cumsum(ops.ones_like(indices)) - 1
        ranks += num_rows * ops.cast(labels >= 0, "int32")
        best = ops.segment_max(ranks, indices, num_segments=size)
        best = ops.take(best, indices)
        old = ops.take(self.table, indices)
        new = ops.maximum(old, _NEVER_CONFIDENT)
        new = ops.where(labels >= 0, labels, new)
        # All rows of an image write the same value, so their order is free.
        new = ops.take(new, best % ops.maximum(num_rows, 1))
        self.table.assign(
            ops.scatter_update(self.table, ops.expand_dims(indices, 1), new)
        )
        counted = np.append(np.arange(self.counts.shape[0] - 1), -1)
        counted = ops.convert_to_tensor(counted, "int32")
        old, new = (
            ops.cast(ops.expand_dims(numbers, 1) == counted, "int32")
            for numbers in (old, new)
        )
        decides = ops.cast(ops.expand_dims(best == ranks, 1), "int32")
        self.counts.assign_add(ops.sum(decides * (new - old), axis=0))

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


def warn_of_order(policy, data):
    """Warns if a policy notes images by numbers that change their image.

    Args:
        policy: `Policy`.
        data: What `fit()` received as `x`.
    """
    notes_images = any(
        isinstance(part, FlexMatchPolicy) for part in flatten_layers(policy)
    )
    has_fixed_order = getattr(data, "has_fixed_order", None)
    if notes_images and has_fixed_order and not has_fixed_order():
        warnings.warn(
            "`FlexMatchPolicy` notes each unlabelled image by its place in the "
            "dataset, but a second pass of the dataset gives other images. Do "
            "not shuffle it: `mix_labeled_unlabeled` does. Augment by `noise`",
            stacklevel=4,
        )
