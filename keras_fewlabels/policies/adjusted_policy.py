import keras
from keras import ops

from keras_fewlabels.policies.ask_policy import check_policy
from keras_fewlabels.policies.parts.global_batch import global_batch
from keras_fewlabels.policies.parts.moving_average import (
    add_average,
    check_momentum,
    move_average,
)


class AdjustedPolicy(keras.layers.Layer):
    """Changes probabilities by what their mean was, and asks another policy.

    The base of `DebiasedPolicy` and `DistributionAlignment`.

    Args:
        policy: Layer that maps the changed probabilities to
            `(targets, weights)`.
        momentum: Float in `[0, 1)`, the share of the mean that each batch
            keeps.
        **kwargs: As for every Keras layer. The dtype is float32 by default,
            whatever the global policy.

    Raises:
        ValueError: If `policy` is no layer, or `momentum` is out of range.
    """

    def __init__(self, policy, momentum, **kwargs):
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        check_policy(policy)
        check_momentum(momentum)
        self.policy = policy
        self.momentum = momentum

    def build_from(self, shares, input_shape):
        """Creates the mean, which begins with the shares, and the policy."""
        self.mean = add_average(self, "mean", shares)
        if not self.policy.built:
            self.policy.build(input_shape)

    def move_mean(self, probabilities):
        """Takes a batch into the mean, that of all replicas."""
        mean = ops.mean(global_batch(probabilities), axis=0)
        move_average(self.mean, mean, self.momentum)

    def mean_above_zero(self):
        """The mean, in which no class is without a share."""
        return ops.maximum(self.mean, keras.config.epsilon())

    @property
    def soft(self):
        """Whether the targets are distributions rather than one class."""
        return getattr(self.policy, "soft", False)

    def compute_output_shape(self, input_shape):
        return self.policy.compute_output_shape(input_shape)

    def get_config(self):
        config = super().get_config()
        config["policy"] = keras.saving.serialize_keras_object(self.policy)
        config["momentum"] = self.momentum
        return config

    @classmethod
    def from_config(cls, config):
        policy = keras.saving.deserialize_keras_object(config["policy"])
        return cls(**{**config, "policy": policy})
