import numbers

import keras
import numpy as np
from keras import ops

from keras_fewlabels.policies.ask_policy import check_known
from keras_fewlabels.policies.parts.global_batch import global_batch
from keras_fewlabels.policies.parts.moving_average import (
    add_average,
    check_momentum,
    move_average,
)
from keras_fewlabels.policies.parts.pseudo_targets import pseudo_targets


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class AdaMatchPolicy(keras.layers.Layer):
    """Measures unlabelled images by what the student makes of labelled ones.

    Two things follow the labelled images. The share of each class: the
    teacher's probabilities are multiplied by the mean prediction on labelled
    images, divided by that on unlabelled ones, and normalised. And the
    threshold: it is a part of the mean confidence on the labelled images of
    the batch, so that it is low while even those are unsure. The method is
    also meant for unlabelled images of another domain.

    Reference:
        - [Berthelot et al., 2021](https://arxiv.org/abs/2106.04732), with
          `threshold=0.9`. They average the unlabelled predictions over a
          window of 128 batches; here, as in USB, the average moves, and 0.95
          is the default. As in their code, a batch moves the averages before
          it is judged by them. The growing weight of the unlabelled loss is
          no part of the policy.

    Args:
        threshold: Float in `[0, 1]`, the least confidence as a part of the
            mean confidence on labelled images.
        momentum: Float in `[0, 1)`, the share of the averages that each
            batch keeps.
        soft: Boolean, whether the target is the whole aligned distribution
            rather than its likeliest class.
        **kwargs: As for every Keras layer. The dtype is float32 by default,
            whatever the global policy.

    Call arguments:
        probabilities: Float tensor of shape `(batch, num_classes)`.
        training: Boolean. The averages move only if it is `True`.
        labeled_probabilities: Float tensor of shape `(num_labeled,
            num_classes)`, the student's probabilities on labelled images.

    Returns:
        `(targets, weights)`: floats of shapes `(batch, num_classes)` and
        `(batch,)`; weights are 0 or 1.

    Raises:
        ValueError: If `threshold` or `momentum` is out of its range, or there
            are no `labeled_probabilities`.

    Example:

    >>> policy = keras_fewlabels.policies.AdaMatchPolicy(momentum=0, soft=True)
    >>> labeled = np.array([[0.8, 0.2], [0.2, 0.8]], "float32")
    >>> favourite = np.array([[0.8, 0.2], [0.6, 0.4]], "float32")
    >>> targets, _ = policy(
    ...     favourite, training=True, labeled_probabilities=labeled
    ... )
    >>> keras.ops.convert_to_numpy(targets).round(2)
    array([[0.63, 0.37],
           [0.39, 0.61]], dtype=float32)
    """

    def __init__(self, threshold=0.95, momentum=0.999, soft=False, **kwargs):
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        if not (isinstance(threshold, numbers.Real) and 0 <= threshold <= 1):
            raise ValueError(
                "`threshold` is a part of the confidence on labelled images "
                f"and must be in [0, 1]. Received: threshold={threshold!r}"
            )
        check_momentum(momentum)
        self.threshold = threshold
        self.momentum = momentum
        self.soft = soft

    def build(self, input_shape):
        uniform = np.full(input_shape[-1], 1 / input_shape[-1])
        self.labeled_mean = add_average(self, "labeled_mean", uniform)
        self.unlabeled_mean = add_average(self, "unlabeled_mean", uniform)

    def call(self, probabilities, training=None, labeled_probabilities=None):
        check_known(self, labeled_probabilities=labeled_probabilities)
        labeled = global_batch(labeled_probabilities)
        if training:
            mean = ops.mean(labeled, axis=0)
            move_average(self.labeled_mean, mean, self.momentum)
            mean = ops.mean(global_batch(probabilities), axis=0)
            move_average(self.unlabeled_mean, mean, self.momentum)
        aligned = self._align(probabilities)
        threshold = self.threshold * ops.mean(ops.max(labeled, axis=-1))
        weights = ops.max(aligned, axis=-1) >= threshold
        weights = ops.cast(weights, self.compute_dtype)
        return pseudo_targets(aligned, self.soft), weights

    def _align(self, probabilities):
        # A class that is never predicted must not make 0 / 0.
        labeled, unlabeled = (
            ops.maximum(mean, keras.config.epsilon())
            for mean in (self.labeled_mean, self.unlabeled_mean)
        )
        aligned = probabilities * labeled / unlabeled
        return aligned / ops.sum(aligned, axis=-1, keepdims=True)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape), tuple(input_shape[:-1])

    def get_config(self):
        config = super().get_config()
        config.update(
            {
                "threshold": self.threshold,
                "momentum": self.momentum,
                "soft": self.soft,
            }
        )
        return config
