import keras
import numpy as np
from keras import ops

from keras_fewlabels.foundation import check_fraction, check_probability
from keras_fewlabels.policies.parts import (
    global_batch,
    move_average,
    pseudo_targets,
)
from keras_fewlabels.policies.policy import Policy


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class AdaMatchPolicy(Policy):
    """Adapts classes and threshold to the student's labelled predictions.

    Two things follow the labelled images. First, the share of each class:
    the teacher's probabilities are multiplied by the mean prediction on
    labelled images, divided by the mean prediction on unlabelled images, and
    normalised. Second, the threshold: it is a fraction of the mean confidence
    on the labelled images of the batch, so that it is low while the student
    is unsure even of these. The method is also meant for unlabelled images of
    another domain.

    Reference:
        - [Berthelot et al., 2021](https://arxiv.org/abs/2106.04732), with
          `threshold=0.9`. They average the unlabelled predictions over a
          window of 128 batches; here, as in USB, the average moves, and 0.95
          is the default. Both averages start uniform, those of USB at the
          first batch: targets of the first steps differ by up to 0.33. As in
          their code, a batch moves the averages before they judge it. If a
          batch has no labelled images, no image counts. The growing weight of
          the unlabelled loss is in `models.AdaMatch`.

    Args:
        threshold: Float in `[0, 1]`, the least confidence as a fraction of
            the mean confidence on labelled images.
        momentum: Float in `[0, 1)`, the share of the averages that each
            batch keeps.
        soft: Boolean. If `True`, the target is the whole aligned
            distribution; otherwise it is its likeliest class, one-hot.
        **kwargs: As for `Policy`, such as `name` and `dtype`.

    Call arguments:
        probabilities: Float tensor of shape `(batch, num_classes)`.
        training: Boolean. The averages move only if it is `True`.
        labeled_probabilities: Float tensor of shape `(num_labeled,
            num_classes)`, the student's probabilities on labelled images.

    Returns:
        `(targets, weights)`: floats of shapes `(batch, num_classes)` and
        `(batch,)`; weights are 0 or 1.

    Raises:
        ValueError: If `threshold` or `momentum` is out of range, or the
            policy is called without `labeled_probabilities`.

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
        super().__init__(**kwargs)
        check_probability(threshold, "threshold")
        check_fraction(momentum, "momentum")
        self.threshold = threshold
        self.momentum = momentum
        self.soft = soft

    def build(self, input_shape):
        uniform = np.full(input_shape[-1], 1 / input_shape[-1])
        self.labeled_mean = self.add_state("labeled_mean", uniform)
        self.unlabeled_mean = self.add_state("unlabeled_mean", uniform)

    def call(
        self,
        probabilities,
        training=None,
        indices=None,
        labeled_probabilities=None,
    ):
        self.require(labeled_probabilities=labeled_probabilities)
        labeled = global_batch(labeled_probabilities)
        if training:
            move_average(self.labeled_mean, labeled, self.momentum)
            batch = global_batch(probabilities)
            move_average(self.unlabeled_mean, batch, self.momentum)
        aligned = self._align(probabilities)
        # Keras refuses the largest of nothing. The mean of no labelled images
        # is not a number, which no confidence reaches.
        likeliest = pseudo_targets(labeled, soft=False)
        confidence = ops.mean(ops.sum(likeliest * labeled, axis=-1))
        threshold = self.threshold * confidence
        weights = ops.cast(
            ops.max(aligned, axis=-1) >= threshold, probabilities.dtype
        )
        return pseudo_targets(aligned, self.soft), weights

    def _align(self, probabilities):
        # Avoids 0 / 0 for a class that is never predicted.
        labeled, unlabeled = (
            ops.maximum(mean, keras.config.epsilon())
            for mean in (self.labeled_mean, self.unlabeled_mean)
        )
        aligned = probabilities * labeled / unlabeled
        return aligned / ops.sum(aligned, axis=-1, keepdims=True)

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
