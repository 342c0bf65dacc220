import keras
import numpy as np
from keras import ops

from keras_fewlabels.policies.parts import AdjustedPolicy


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class DistributionAlignment(AdjustedPolicy):
    """Gives the classes of the pseudo-labels the shares they should have.

    A teacher that learned from few labels often prefers one of two similar
    classes, and training on its labels increases the preference. This policy
    divides each prediction by the moving average of the predictions,
    multiplies it by the share that each class should have, and normalises it,
    before another policy judges it. Of a model with a sigmoid for each of
    several labels, the yes and no of each label are aligned by themselves, so
    that no label becomes rarer among the pseudo-labels than it should be.

    Reference:
        - [Berthelot et al., 2019](https://arxiv.org/abs/1911.09785), whose
          method ReMixMatch averages over a window of batches. Here the
          average moves, and starts at `prior`. That of USB starts at the
          first batch: targets of the first steps differ by up to 0.33.

    Args:
        policy: `Policy` that judges the aligned probabilities, such as
            `FixedThreshold`.
        prior: Optional sequence of positive floats, how frequent each class
            is among the unlabelled images. They are scaled to sum to 1. By
            default all classes are equally frequent. Several labels need a
            prior: of each label the share of the images that have it, between
            0 and 1.
        momentum: Float in `[0, 1)`, the share of the average that each batch
            keeps.
        **kwargs: As for `Policy`, such as `name` and `dtype`.

    Call arguments:
        probabilities: Float tensor of shape `(batch, num_classes)`, or
            `(batch, num_labels, 2)` of several labels.
        training: Boolean. The average moves only if it is `True`.
        indices: As for `policy`, which gets them.
        labeled_probabilities: As for `policy`, which gets them as they are.

    Returns:
        `(targets, weights)` of `policy` for the aligned probabilities.

    Raises:
        ValueError: If `policy` is not a `Policy`, `prior` or `momentum` is
            out of range, or the prior has another number of classes than the
            probabilities. If several labels have no prior, or one of 1.

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

    @property
    def per_output(self):
        """Boolean, as that of `policy`."""
        return self.policy.per_output

    def build(self, input_shape):
        num_classes = input_shape[1]
        has_pairs = len(input_shape) == 3
        prior = self.prior
        if prior is None and not has_pairs:
            prior = [1.0] * num_classes
        if has_pairs and (prior is None or max(prior) >= 1):
            raise ValueError(
                "Several labels need a `prior`: of each label the share of "
                "the images that have it, such as `labels.mean(axis=0)`, "
                f"between 0 and 1. Received: prior={prior}"
            )
        if len(prior) != num_classes:
            raise ValueError(
                "`prior` must have a share for each of the model's classes. "
                f"Received: {len(prior)} shares for {num_classes} classes"
            )
        prior = np.asarray(prior)
        if has_pairs:
            prior = np.stack([1 - prior, prior], axis=-1)
        self._shares = prior / prior.sum(axis=-1, keepdims=True)
        self.build_from(self._shares, input_shape)

    def adjust(self, probabilities, training):
        if training:
            self.move_mean(probabilities)
        shares = ops.cast(self._shares, probabilities.dtype)
        # Avoids 0 / 0 for a class that is never predicted.
        aligned = probabilities * shares / self.mean_above_zero()
        return aligned / ops.sum(aligned, axis=-1, keepdims=True)

    def get_config(self):
        return {**super().get_config(), "prior": self.prior}


def _are_shares(prior):
    try:
        prior = np.asarray(prior, "float64")
    except (TypeError, ValueError):
        return False
    return prior.ndim == 1 and bool(np.all((prior > 0) & np.isfinite(prior)))
