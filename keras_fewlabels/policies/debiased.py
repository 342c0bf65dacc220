import keras
import numpy as np
from keras import ops

from keras_fewlabels.foundation import check_number
from keras_fewlabels.policies.parts import AdjustedPolicy


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class DebiasedPolicy(AdjustedPolicy):
    """Removes the teacher's preference for some classes from its labels.

    Pseudo-labels are unbalanced even where the images are balanced, because
    some classes are easily mistaken for others. This policy measures the
    preference for each class by a moving average of the predictions, and
    subtracts `strength * log(average)` from the teacher's logits before
    another policy judges them. `policy.margin()` is the same term, for the
    method's second half: *added* to the student's logits in its unlabelled
    loss, it demands a larger margin of classes that are rarely predicted.

    `DistributionAlignment` divides by the whole average instead of a power of
    it, and knows which shares the classes should have.

    Reference:
        - [Wang et al., 2022](https://arxiv.org/abs/2201.01490). As in their
          code, a batch is debiased by the average of the batches before it,
          and the margin comes from the average after it.

    Args:
        policy: `Policy` that judges the debiased probabilities, such as
            `FixedThreshold`.
        strength: Float of at least 0, how much of the preference is removed.
            At 0 nothing changes.
        momentum: Float in `[0, 1)`, the share of the average that each batch
            keeps.
        **kwargs: As for `Policy`, such as `name` and `dtype`.

    Call arguments:
        probabilities: Float tensor of shape `(batch, num_classes)`.
        training: Boolean. The average moves only if it is `True`.
        indices: As for `policy`, which gets them.
        labeled_probabilities: As for `policy`, which gets them as they are.

    Returns:
        `(targets, weights)` of `policy` for the debiased probabilities.

    Raises:
        ValueError: If `policy` is not a `Policy`, or `strength` or `momentum`
            is out of range.

    Example:

    >>> policy = keras_fewlabels.policies.DebiasedPolicy(
    ...     keras_fewlabels.policies.FixedThreshold(0, soft=True),
    ...     strength=1,
    ...     momentum=0,
    ... )
    >>> favourite = np.array([[0.9, 0.1], [0.7, 0.3]], "float32")
    >>> _ = policy(favourite, training=True)
    >>> targets, _ = policy(favourite)
    >>> keras.ops.convert_to_numpy(targets).round(2)
    array([[0.69, 0.31],
           [0.37, 0.63]], dtype=float32)
    """

    def __init__(self, policy, strength=0.4, momentum=0.999, **kwargs):
        super().__init__(policy, momentum, **kwargs)
        check_number(strength, "strength", "[0, inf)")
        self.strength = strength

    def build(self, input_shape):
        uniform = np.full(input_shape[-1], 1 / input_shape[-1])
        self.build_from(uniform, input_shape)

    def adjust(self, probabilities, training):
        debiased = probabilities * ops.exp(-self.margin())
        debiased /= ops.sum(debiased, axis=-1, keepdims=True)
        if training:
            self.move_mean(probabilities)
        return debiased

    def margin(self):
        """Returns the term for the student's logits, `(num_classes,)`."""
        return self.strength * ops.log(self.mean_above_zero())

    def get_config(self):
        return {**super().get_config(), "strength": self.strength}
