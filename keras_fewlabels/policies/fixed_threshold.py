import numbers

import keras
from keras import ops

from keras_fewlabels.policies.parts.pseudo_targets import pseudo_targets


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class FixedThreshold(keras.layers.Layer):
    """Keeps the pseudo-labels that the teacher is confident of.

    The policy of pseudo-labelling, Noisy Student, UDA and FixMatch: an image
    counts fully if the probability of its likeliest class reaches the
    threshold, and not at all otherwise.

    References:
        - [Sohn et al., 2020](https://arxiv.org/abs/2001.07685), FixMatch:
          `threshold=0.95`, hard labels.
        - [Xie et al., 2019](https://arxiv.org/abs/1911.04252), Noisy Student:
          `threshold=0.3, soft=True`.
        - [Xie et al., 2020](https://arxiv.org/abs/1904.12848), UDA:
          `threshold=0.8, soft=True, temperature=0.4`.

    Args:
        threshold: Float in `[0, 1]`, the least probability of the likeliest
            class. At 0 every image counts.
        soft: Boolean. If `False`, the target is the likeliest class, one-hot;
            if `True`, it is the whole distribution.
        temperature: Positive float for soft targets: they are raised to
            `1 / temperature` and normalised, so that values below 1 sharpen
            them. The confidence is taken before that.
        **kwargs: As for every Keras layer. The dtype is float32 by default,
            whatever the global policy, because confidences close to 1 are
            rounded away in half precision.

    Call arguments:
        probabilities: Float tensor of shape `(batch, num_classes)`, the
            teacher's class probabilities.

    Returns:
        `(targets, weights)`: floats of shapes `(batch, num_classes)` and
        `(batch,)`. The unlabelled loss is the mean over the batch of
        `weights * cross_entropy(targets, predictions)`.

    Raises:
        ValueError: If `threshold` or `temperature` is out of its range.

    Example:

    >>> policy = keras_fewlabels.policies.FixedThreshold(threshold=0.7)
    >>> probabilities = np.array([[0.8, 0.1, 0.1], [0.4, 0.3, 0.3]])
    >>> targets, weights = policy(probabilities)
    >>> [int(weight) for weight in weights]
    [1, 0]
    """

    def __init__(self, threshold=0.95, soft=False, temperature=1.0, **kwargs):
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        if not (isinstance(threshold, numbers.Real) and 0 <= threshold <= 1):
            raise ValueError(
                "`threshold` is a probability and must be in [0, 1]. "
                f"Received: threshold={threshold!r}"
            )
        if not (isinstance(temperature, numbers.Real) and temperature > 0):
            raise ValueError(
                "`temperature` must be positive; values below 1 sharpen the "
                f"targets. Received: temperature={temperature!r}"
            )
        self.threshold = threshold
        self.soft = soft
        self.temperature = temperature

    def call(self, probabilities):
        confidence = ops.max(probabilities, axis=-1)
        weights = ops.cast(confidence >= self.threshold, self.compute_dtype)
        return self.targets(probabilities), weights

    def targets(self, probabilities):
        """What the student should predict, shape `(batch, num_classes)`."""
        if not self.soft:
            return pseudo_targets(probabilities, soft=False)
        # Divided by the largest first: small powers do not vanish together.
        likeliest = ops.max(probabilities, axis=-1, keepdims=True)
        sharpened = ops.power(probabilities / likeliest, 1 / self.temperature)
        return sharpened / ops.sum(sharpened, axis=-1, keepdims=True)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape), tuple(input_shape[:-1])

    def get_config(self):
        config = super().get_config()
        config.update(
            {
                "threshold": self.threshold,
                "soft": self.soft,
                "temperature": self.temperature,
            }
        )
        return config
