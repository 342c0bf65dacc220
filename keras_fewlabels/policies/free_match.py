import keras
import numpy as np
from keras import ops

from keras_fewlabels.foundation import check_fraction
from keras_fewlabels.policies.parts import (
    global_batch,
    move_average,
    pseudo_targets,
)
from keras_fewlabels.policies.policy import Policy


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class FreeMatchPolicy(Policy):
    """Sets a threshold for each class by the teacher's confidence so far.

    There is no threshold to choose. The global threshold is the moving
    average of the teacher's confidence, which starts at `1 / num_classes` and
    grows while the teacher learns. The threshold of a class is the global one
    times the mean probability of the class, divided by the largest mean
    probability of all classes.

    The method's second part keeps the student's predictions diverse:
    `policy.fairness(student_probabilities, weights)` is a loss, to be
    multiplied by a weight (0.001 to 0.01) and added to the others.

    Reference:
        - [Wang et al., 2022](https://arxiv.org/abs/2205.07246). As in their
          code, a batch moves the averages before they judge it.

    Args:
        momentum: Float in `[0, 1)`, the share of the averages that each
            batch keeps.
        soft: Boolean. If `True`, the target is the whole distribution;
            otherwise it is the likeliest class, one-hot.
        **kwargs: As for `Policy`, such as `name` and `dtype`.

    Call arguments:
        probabilities: Float tensor of shape `(batch, num_classes)`.
        training: Boolean. The averages move only if it is `True`.

    Returns:
        `(targets, weights)`: floats of shapes `(batch, num_classes)` and
        `(batch,)`; weights are 0 or 1.

    Raises:
        ValueError: If `momentum` is out of range.

    Example:

    >>> policy = keras_fewlabels.policies.FreeMatchPolicy(momentum=0)
    >>> batch = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6]], "float32")
    >>> _ = policy(batch, training=True)
    >>> keras.ops.convert_to_numpy(policy.thresholds()).round(2)
    array([0.77, 0.33], dtype=float32)
    """

    def __init__(self, momentum=0.999, soft=False, **kwargs):
        super().__init__(**kwargs)
        check_fraction(momentum, "momentum")
        self.momentum = momentum
        self.soft = soft

    def build(self, input_shape):
        num_classes = input_shape[-1]
        uniform = np.full(num_classes, 1 / num_classes)
        self.confidence = self.add_state("confidence", 1 / num_classes)
        self.mean = self.add_state("mean", uniform)
        self.histogram = self.add_state("histogram", uniform)

    def call(
        self,
        probabilities,
        training=None,
        indices=None,
        labeled_probabilities=None,
    ):
        if training:
            self._move_averages(global_batch(probabilities))
        confidence = ops.max(probabilities, axis=-1)
        labels = ops.argmax(probabilities, axis=-1)
        thresholds = ops.take(self.thresholds(), labels)
        weights = ops.cast(confidence >= thresholds, probabilities.dtype)
        return pseudo_targets(probabilities, self.soft), weights

    def thresholds(self):
        """Returns the current threshold of each class, `(num_classes,)`."""
        mean = ops.convert_to_tensor(self.mean)
        return self.confidence * mean / ops.max(mean)

    def fairness(self, student_probabilities, weights):
        """Returns the paper's self-adaptive fairness loss.

        The mean predictions of the teacher (over all batches) and of the
        student (over the images that count) are each divided by the share of
        images in which each class was the likeliest, and normalised. The loss
        is `sum(teacher * log(student))`, as in the paper's equation 11 and
        the authors' code: *minus* their cross-entropy. The loss is negative,
        and moves the student's mean prediction away from the classes that the
        teacher prefers.

        Classes that the student predicts for no image are left out. In the
        authors' code they add a constant.

        Args:
            student_probabilities: Float tensor of shape `(batch,
                num_classes)`, the student's probabilities on the noised
                images.
            weights: Float tensor of shape `(batch,)`, the weights that this
                policy returned for the images.

        Returns:
            Float32 tensor of shape `()`, for the batches of all replicas
            together. It is 0 if no image counts.
        """
        predictions = global_batch(ops.cast(student_probabilities, "float32"))
        weights = global_batch(ops.cast(weights, "float32"))
        weights = ops.expand_dims(weights, axis=-1)
        histogram = ops.sum(
            weights * pseudo_targets(predictions, False), axis=0
        )
        student = _normalized_ratio(
            ops.sum(weights * predictions, axis=0), histogram
        )
        teacher = _normalized_ratio(
            ops.cast(self.mean, "float32"), ops.cast(self.histogram, "float32")
        )
        # The logarithm of 0 has no finite gradient, so 1 takes its place.
        logarithm = ops.log(ops.where(histogram > 0, student, 1))
        return ops.sum(ops.stop_gradient(teacher) * logarithm)

    def _move_averages(self, probabilities):
        confidence = ops.max(probabilities, axis=-1)
        likeliest = pseudo_targets(probabilities, soft=False)
        move_average(self.confidence, confidence, self.momentum)
        move_average(self.histogram, likeliest, self.momentum)
        move_average(self.mean, probabilities, self.momentum)

    def get_config(self):
        config = super().get_config()
        config.update({"momentum": self.momentum, "soft": self.soft})
        return config


def _normalized_ratio(mean, histogram):
    """Returns `mean / histogram` scaled to sum to 1, with 0 for 0 / 0."""
    present = histogram > 0
    ratio = mean / ops.where(present, histogram, 1)
    ratio = ops.where(present, ratio, 0)
    total = ops.sum(ratio)
    return ratio / ops.where(total > 0, total, 1)
