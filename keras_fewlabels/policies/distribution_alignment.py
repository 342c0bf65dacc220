import keras
import numpy as np
from keras import ops

from keras_fewlabels.policies.adjusted_policy import AdjustedPolicy
from keras_fewlabels.policies.ask_policy import ask_policy


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class DistributionAlignment(AdjustedPolicy):
    """Keeps a teacher from preferring some classes to others.

    A teacher that learned from few labels often has a favourite among two
    similar classes, and its student makes that worse from step to step. Here
    each prediction is divided by the mean prediction of late and multiplied by
    the share the class should have, before another policy judges it.

    Reference:
        - [Berthelot et al., 2019](https://arxiv.org/abs/1911.09785), who call
          the method ReMixMatch and average over a window of batches; here
          the average moves.

    Args:
        policy: Layer that maps the aligned probabilities to
            `(targets, weights)`, such as `FixedThreshold`.
        prior: Optional sequence of positive floats, how frequent each class
            is among the unlabelled images; scaled to sum to 1. By default all
            are alike.
        momentum: Float in `[0, 1)`, the share of the mean prediction that
            each batch keeps.
        **kwargs: As for every Keras layer. The dtype is float32 by default,
            whatever the global policy.

    Call arguments:
        probabilities: Float tensor of shape `(batch, num_classes)`.
        training: Boolean. The mean prediction moves only if it is `True`.
        **context: What else `policy` wants to know, such as `indices`.

    Returns:
        What `policy` gives for the aligned probabilities.

    Raises:
        ValueError: If `prior` or `momentum` is out of range, or the prior has
            another number of classes than the probabilities.

    Example:

    >>> policy = keras_fewlabels.policies.DistributionAlignment(
    ...     keras_fewlabels.policies.FixedThreshold(0, soft=True), momentum=0
    ... )
    >>> favourite = np.array([[0.8, 0.2], [0.6, 0.4]], "float32")
    >>> targets, _ = policy(favourite, training=True)
    >>> keras.ops.convert_to_numpy(targets).round(2)
    array([[0.63, 0.37],
           [0.39, 0.61]], dtype=float32)
    """

    def __init__(self, policy, prior=None, momentum=0.999, **kwargs):
        super().__init__(policy, momentum, **kwargs)
        if prior is not None and not _are_shares(prior):
            raise ValueError(
                "`prior` must have a positive share for every class. "
                f"Received: prior={prior!r}"
            )
        self.prior = None if prior is None else [float(p) for p in prior]

    def build(self, input_shape):
        num_classes = input_shape[-1]
        prior = np.ones(num_classes) if self.prior is None else self.prior
        if len(prior) != num_classes:
            raise ValueError(
                "`prior` must have a share for each of the model's classes. "
                f"Received: {len(prior)} shares for {num_classes} classes"
            )
        self._shares = np.divide(prior, np.sum(prior)).astype("float32")
        self.build_from(self._shares, input_shape)

    def call(self, probabilities, training=None, **context):
        if training:
            self.move_mean(probabilities)
        # A class that is never predicted must not make 0 / 0.
        aligned = probabilities * self._shares / self.mean_above_zero()
        aligned /= ops.sum(aligned, axis=-1, keepdims=True)
        return ask_policy(self.policy, aligned, training, **context)

    def get_config(self):
        return {**super().get_config(), "prior": self.prior}


def _are_shares(prior):
    try:
        prior = np.asarray(prior, "float64")
    except (TypeError, ValueError):
        return False
    return prior.ndim == 1 and bool(np.all((prior > 0) & np.isfinite(prior)))
