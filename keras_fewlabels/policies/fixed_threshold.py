import keras
from keras import ops

from keras_fewlabels.foundation import check_positive, check_probability
from keras_fewlabels.policies.parts import pseudo_targets
from keras_fewlabels.policies.policy import Policy


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class FixedThreshold(Policy):
    """Keeps the pseudo-labels that the teacher is confident of.

    The policy of pseudo-labelling, Noisy Student, UDA and FixMatch: an image
    counts fully if the probability of its likeliest class reaches the
    threshold, and not at all otherwise. Of a multi-label model, each output
    `p` counts by itself, if `max(p, 1 - p)` reaches the threshold.

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
        soft: Boolean. If `True`, the target is the whole distribution;
            otherwise it is the likeliest class, one-hot.
        temperature: Positive float for soft targets, which are raised to
            `1 / temperature` and normalised: values below 1 sharpen them. The
            confidence is taken before that.
        **kwargs: As for `Policy`, such as `name` and `dtype`.

    Call arguments:
        probabilities: Float tensor of shape `(batch, num_classes)`.

    Returns:
        `(targets, weights)`: floats of shapes `(batch, num_classes)` and
        `(batch,)`; weights are 0 or 1.

    Raises:
        ValueError: If `threshold` or `temperature` is out of range.

    Example:

    >>> policy = keras_fewlabels.policies.FixedThreshold(threshold=0.7)
    >>> probabilities = np.array([[0.8, 0.1, 0.1], [0.4, 0.3, 0.3]])
    >>> targets, weights = policy(probabilities)
    >>> [int(weight) for weight in weights]
    [1, 0]
    """

    per_output = True

    def __init__(self, threshold=0.95, soft=False, temperature=1.0, **kwargs):
        super().__init__(**kwargs)
        check_probability(threshold, "threshold")
        check_positive(temperature, "temperature")
        self.threshold = threshold
        self.soft = soft
        self.temperature = temperature

    def call(
        self,
        probabilities,
        training=None,
        indices=None,
        labeled_probabilities=None,
    ):
        confidence = ops.max(probabilities, axis=-1)
        weights = ops.cast(confidence >= self.threshold, probabilities.dtype)
        return self.targets(probabilities), weights

    def targets(self, probabilities):
        """Returns the targets alone, of shape `(batch, num_classes)`."""
        if not self.soft:
            return pseudo_targets(probabilities, soft=False)
        # Divides by the largest first, so that not all powers become 0.
        likeliest = ops.max(probabilities, axis=-1, keepdims=True)
        sharpened = ops.power(probabilities / likeliest, 1 / self.temperature)
        return sharpened / ops.sum(sharpened, axis=-1, keepdims=True)

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
