import numbers

import keras
import numpy as np
from keras import ops

from keras_fewlabels.policies.adjusted_policy import AdjustedPolicy
from keras_fewlabels.policies.ask_policy import ask_policy


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class DebiasedPolicy(AdjustedPolicy):
    """Takes the teacher's preference for some classes out of its labels.

    Pseudo-labels are unbalanced even where the images are balanced, because
    some classes are easy to take for others. Here a moving average of the
    predictions says how much each class is preferred, and
    `strength * log(average)` is taken off the teacher's logits before another
    policy judges them. `policy.margin()` is the same term, for the method's
    second half: *added* to the student's logits in its unlabelled loss, it
    asks a larger margin of classes that are predicted rarely.

    `DistributionAlignment` divides by the whole average instead of a power of
    it, and knows which shares the classes should have.

    Reference:
        - [Wang et al., 2022](https://arxiv.org/abs/2201.01490). As in their
          code, a batch is debiased by the average of the batches before it,
          and the margin is of the average after it.

    Args:
        policy: Layer that maps the debiased probabilities to
            `(targets, weights)`, such as `FixedThreshold`.
        strength: Non-negative float, how much of the preference is taken out;
            at 0 nothing changes.
        momentum: Float in `[0, 1)`, the share of the average that each batch
            keeps.
        **kwargs: As for every Keras layer. The dtype is float32 by default,
            whatever the global policy.

    Call arguments:
        probabilities: Float tensor of shape `(batch, num_classes)`.
        training: Boolean. The average moves only if it is `True`.
        **context: What else `policy` wants to know, such as `indices`.

    Returns:
        What `policy` gives for the debiased probabilities.

    Raises:
        ValueError: If `strength` or `momentum` is out of its range.

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
        if not (
            isinstance(strength, numbers.Real) and 0 <= strength < float("inf")
        ):
            raise ValueError(
                "`strength` must not be negative; at 0 the probabilities stay "
                f"as they are. Received: strength={strength!r}"
            )
        self.strength = strength

    def build(self, input_shape):
        uniform = np.full(input_shape[-1], 1 / input_shape[-1])
        self.build_from(uniform, input_shape)

    def call(self, probabilities, training=None, **context):
        debiased = probabilities * ops.exp(-self.margin())
        debiased /= ops.sum(debiased, axis=-1, keepdims=True)
        if training:
            self.move_mean(probabilities)
        return ask_policy(self.policy, debiased, training, **context)

    def margin(self):
        """What to add to the student's logits, shape `(num_classes,)`."""
        return self.strength * ops.log(self.mean_above_zero())

    def get_config(self):
        return {**super().get_config(), "strength": self.strength}
