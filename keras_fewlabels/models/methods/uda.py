import keras

from keras_fewlabels.models.methods.fix_match import FixMatch
from keras_fewlabels.policies import FixedThreshold


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class UDA(FixMatch):
    """Unsupervised data augmentation: `FixMatch` with sharpened soft labels.

    Labels of at least 80 % confidence count. They are distributions, raised to
    the power of `1 / 0.4`, so the student also learns which classes are alike.

    Reference:
        - [Xie et al., 2020](https://arxiv.org/abs/1904.12848), without their
          training signal annealing.

    Args:
        student: Built Keras model, as for `NoisyStudentModel`.
        policy: By default `FixedThreshold(0.8, soft=True, temperature=0.4)`.
        **kwargs: As for `FixMatch`.

    Raises:
        ValueError: As `FixMatch`, from the constructor and from `fit()`.

    Example:

    >>> student = keras.Sequential([keras.Input((8, 8, 3)),
    ...     keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])
    >>> keras_fewlabels.models.UDA(student).policy.temperature
    0.4
    """

    def __init__(self, student, *, policy=None, **kwargs):
        if policy is None:
            policy = FixedThreshold(0.8, soft=True, temperature=0.4)
        super().__init__(student, policy=policy, **kwargs)
