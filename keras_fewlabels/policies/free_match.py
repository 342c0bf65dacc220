import keras
import numpy as np
from keras import ops

from keras_fewlabels.policies.parts.global_batch import global_batch
from keras_fewlabels.policies.parts.moving_average import (
    add_average,
    check_momentum,
    move_average,
)
from keras_fewlabels.policies.parts.pseudo_targets import pseudo_targets


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class FreeMatchPolicy(keras.layers.Layer):
    """Sets the thresholds by what the teacher is confident of by now.

    There is no threshold to choose. The global one is the moving average of
    the teacher's confidence, which starts at `1 / num_classes` and grows with
    what it learns; a class that it predicts less gets a lower one, in the
    ratio of the classes' mean probabilities.

    The method's second part, which is to keep the student's predictions
    diverse, is `policy.fairness(student_probabilities, weights)`, to be
    multiplied by a weight (0.001 to 0.01) and added to the other losses.

    Reference:
        - [Wang et al., 2022](https://arxiv.org/abs/2205.07246). As in their
          code, a batch moves the averages before it is judged by them.

    Args:
        momentum: Float in `[0, 1)`, the share of the averages that each
            batch keeps.
        soft: Boolean, whether the target is the whole distribution rather
            than the likeliest class.
        **kwargs: As for every Keras layer. The dtype is float32 by default,
            whatever the global policy.

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
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        check_momentum(momentum)
        self.momentum = momentum
        self.soft = soft

    def build(self, input_shape):
        num_classes = input_shape[-1]
        uniform = np.full(num_classes, 1 / num_classes)
        self.confidence = add_average(self, "confidence", 1 / num_classes)
        self.mean = add_average(self, "mean", uniform)
        self.histogram = add_average(self, "histogram", uniform)

    def call(self, probabilities, training=None):
        if training:
            self._watch(global_batch(probabilities))
        confidence = ops.max(probabilities, axis=-1)
        labels = ops.argmax(probabilities, axis=-1)
        thresholds = ops.take(self.thresholds(), labels)
        weights = ops.cast(confidence >= thresholds, self.compute_dtype)
        return pseudo_targets(probabilities, self.soft), weights

    def thresholds(self):
        """The threshold of each class now, shape `(num_classes,)`."""
        mean = ops.convert_to_tensor(self.mean)
        return self.confidence * mean / ops.max(mean)

    def fairness(self, student_probabilities, weights):
        """The paper's self-adaptive fairness loss, a scalar.

        The mean prediction of the teacher (over all batches) and that of the
        student (over the images that count) are each divided by how often
        each class was the likeliest, and normalised. The loss is
        `sum(teacher * log(student))`, as in the paper's equation 11 and the
        authors' code: *minus* their cross-entropy. So it is negative, and the
        student's mean prediction moves away from what the teacher prefers.

        Classes that the student predicts for none of the images are left
        out; in the authors' code they add a constant.

        Args:
            student_probabilities: Float tensor of shape `(batch,
                num_classes)`, the student's probabilities on the noised
                images.
            weights: Float tensor of shape `(batch,)`, as this policy gave
                them.

        Returns:
            Float32 tensor of shape `()`, of the batches of all replicas
            together; 0 if no image counts.
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
            ops.convert_to_tensor(self.mean),
            ops.convert_to_tensor(self.histogram),
        )
        # Where nothing is predicted, the logarithm's gradient is no number.
        logarithm = ops.log(ops.where(histogram > 0, student, 1))
        return ops.sum(ops.stop_gradient(teacher) * logarithm)

    def _watch(self, probabilities):
        confidence = ops.mean(ops.max(probabilities, axis=-1))
        histogram = ops.mean(pseudo_targets(probabilities, False), axis=0)
        mean = ops.mean(probabilities, axis=0)
        move_average(self.confidence, confidence, self.momentum)
        move_average(self.histogram, histogram, self.momentum)
        move_average(self.mean, mean, self.momentum)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape), tuple(input_shape[:-1])

    def get_config(self):
        config = super().get_config()
        config.update({"momentum": self.momentum, "soft": self.soft})
        return config


def _normalized_ratio(mean, histogram):
    """Their ratio, scaled to sum to 1, and 0 where the histogram is."""
    present = histogram > 0
    ratio = mean / ops.where(present, histogram, 1)
    ratio = ops.where(present, ratio, 0)
    total = ops.sum(ratio)
    return ratio / ops.where(total > 0, total, 1)
