import keras
import numpy as np
from keras import ops

from keras_fewlabels.foundation import check_fraction, check_positive
from keras_fewlabels.policies.parts import (
    global_batch,
    move_average,
    pseudo_targets,
)
from keras_fewlabels.policies.policy import Policy


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class SoftMatchPolicy(Policy):
    """Weighs pseudo-labels by their confidence instead of dropping some.

    An image counts fully if its confidence is the mean of the confidences so
    far, or higher. Below the mean, its weight falls like a Gaussian:
    `exp(-(confidence - mean)^2 * n_sigma^2 / (2 * variance))`. So unsure
    images count little instead of not at all.

    With uniform alignment, probabilities are divided by their moving average
    before the weights are computed, so that images of rarely predicted
    classes count more. The targets are not aligned.

    Reference:
        - [Chen et al., 2023](https://arxiv.org/abs/2301.10921). As in their
          code, a batch moves the averages before they weigh it, and its
          variance is the unbiased one. The mean prediction starts uniform
          here, and from the first batch there.

    Args:
        n_sigma: Positive float, how narrow the Gaussian is: at `n_sigma=2`
            it has half the standard deviation of the confidences.
        momentum: Float in `[0, 1)`, the share of the averages that each
            batch keeps.
        uniform_alignment: Boolean, see above.
        per_class: Boolean. If `True`, each class has a mean and a variance of
            its own, which move in batches with two or more of its images.
        soft: Boolean. If `True`, the target is the whole distribution;
            otherwise it is the likeliest class, one-hot.
        **kwargs: As for `Policy`, such as `name` and `dtype`.

    Call arguments:
        probabilities: Float tensor of shape `(batch, num_classes)`.
        training: Boolean. The averages move only if it is `True`.

    Returns:
        `(targets, weights)`: floats of shapes `(batch, num_classes)` and
        `(batch,)`; weights are in `[0, 1]`.

    Raises:
        ValueError: If `n_sigma` or `momentum` is out of range.

    Example:

    >>> policy = keras_fewlabels.policies.SoftMatchPolicy(
    ...     momentum=0, uniform_alignment=False
    ... )
    >>> batch = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6]], "float32")
    >>> _, weights = policy(batch, training=True)
    >>> keras.ops.convert_to_numpy(weights).round(2)
    array([1.  , 1.  , 0.09], dtype=float32)
    """

    def __init__(
        self,
        n_sigma=2,
        momentum=0.999,
        uniform_alignment=True,
        per_class=False,
        soft=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_positive(n_sigma, "n_sigma")
        check_fraction(momentum, "momentum")
        self.n_sigma = n_sigma
        self.momentum = momentum
        self.uniform_alignment = uniform_alignment
        self.per_class = per_class
        self.soft = soft

    def build(self, input_shape):
        num_classes = input_shape[-1]
        # All images are one group, or those of each class are.
        num_groups = num_classes if self.per_class else 1
        uniform = np.full(num_classes, 1 / num_classes)
        self.mean = self.add_state("mean", uniform)
        self.confidence_mean = self.add_state(
            "confidence_mean", np.full(num_groups, 1 / num_classes)
        )
        self.confidence_variance = self.add_state(
            "confidence_variance", np.ones(num_groups)
        )

    def call(
        self,
        probabilities,
        training=None,
        indices=None,
        labeled_probabilities=None,
    ):
        if training:
            batch = global_batch(probabilities)
            move_average(self.mean, batch, self.momentum)
            self._move_confidence(self._align(batch))
        confidence, groups = self._confidence(self._align(probabilities))
        mean = ops.matmul(groups, self.confidence_mean)
        variance = ops.matmul(groups, self.confidence_variance)
        below = ops.minimum(confidence - mean, 0)
        exponent = ops.square(below * self.n_sigma) / (2 * variance + 1e-12)
        return pseudo_targets(probabilities, self.soft), ops.exp(-exponent)

    def _align(self, probabilities):
        if not self.uniform_alignment:
            return probabilities
        mean = ops.maximum(self.mean, keras.config.epsilon())
        aligned = probabilities / mean
        return aligned / ops.sum(aligned, axis=-1, keepdims=True)

    def _confidence(self, probabilities):
        """Returns confidences `(batch,)` and groups `(batch, num_groups)`."""
        confidence = ops.max(probabilities, axis=-1)
        if self.per_class:
            return confidence, pseudo_targets(probabilities, soft=False)
        return confidence, ops.ones_like(probabilities[:, :1])

    def _move_confidence(self, probabilities):
        confidence, groups = self._confidence(probabilities)
        sizes = ops.sum(groups, axis=0)
        mean = ops.matmul(confidence, groups) / ops.maximum(sizes, 1)
        squares = ops.square(confidence - ops.matmul(groups, mean))
        variance = ops.matmul(squares, groups) / ops.maximum(sizes - 1, 1)
        # A single image has no variance.
        for average, value in (
            (self.confidence_mean, mean),
            (self.confidence_variance, variance),
        ):
            before = ops.convert_to_tensor(average)
            moved = self.momentum * before + (1 - self.momentum) * value
            average.assign(ops.where(sizes > 1, moved, before))

    def get_config(self):
        config = super().get_config()
        config.update(
            {
                "n_sigma": self.n_sigma,
                "momentum": self.momentum,
                "uniform_alignment": self.uniform_alignment,
                "per_class": self.per_class,
                "soft": self.soft,
            }
        )
        return config
