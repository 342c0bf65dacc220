import keras
from keras import ops

from keras_fewlabels.foundation import check_fraction
from keras_fewlabels.policies.parts.global_batch import global_batch
from keras_fewlabels.policies.parts.moving_average import move_average
from keras_fewlabels.policies.policy import Policy, check_policy


class AdjustedPolicy(Policy):
    """A policy that adjusts probabilities, which another policy then judges.

    The base of `DebiasedPolicy` and `DistributionAlignment`, which adjust by
    the mean of the probabilities so far. A subclass defines `adjust`.

    Args:
        policy: `Policy` that judges the adjusted probabilities.
        momentum: Float in `[0, 1)`, the share of the mean that each batch
            keeps.
        **kwargs: As for `Policy`.

    Raises:
        ValueError: If `policy` is not a `Policy`, or `momentum` is out of
            range.
    """

    def __init__(self, policy, momentum, **kwargs):
        super().__init__(**kwargs)
        check_policy(policy)
        check_fraction(momentum, "momentum")
        self.policy = policy
        self.momentum = momentum

    def adjust(self, probabilities, training):
        """Returns adjusted probabilities, and moves the mean in training."""
        raise NotImplementedError

    def call(
        self,
        probabilities,
        training=None,
        indices=None,
        labeled_probabilities=None,
    ):
        return self.policy(
            self.adjust(probabilities, training),
            training=training,
            indices=indices,
            labeled_probabilities=labeled_probabilities,
        )

    def build_from(self, shares, input_shape):
        """Creates the mean, which begins with `shares`, and the policy."""
        self.mean = self.add_state("mean", shares)
        if not self.policy.built:
            self.policy.build(input_shape)

    def move_mean(self, probabilities):
        """Moves the mean towards that of a batch of all replicas."""
        move_average(self.mean, global_batch(probabilities), self.momentum)

    def mean_above_zero(self):
        """Returns the mean with a small share for classes that have none."""
        return ops.maximum(self.mean, keras.config.epsilon())

    @property
    def soft(self):
        """Boolean, whether the targets of the policy are distributions."""
        return self.policy.soft

    def get_config(self):
        config = super().get_config()
        config["policy"] = keras.saving.serialize_keras_object(self.policy)
        config["momentum"] = self.momentum
        return config

    @classmethod
    def from_config(cls, config):
        policy = keras.saving.deserialize_keras_object(config["policy"])
        return cls(**{**config, "policy": policy})
