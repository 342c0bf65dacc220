import keras

from keras_fewlabels.models.methods.fix_match import FixMatch
from keras_fewlabels.policies import FlexMatchPolicy


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class FlexMatch(FixMatch):
    """`FixMatch` with lower thresholds for classes that are learned slowly.

    The dataset must number its unlabelled images, which
    `data.mix_labeled_unlabeled` does.

    Reference:
        - [Zhang et al., 2021](https://arxiv.org/abs/2110.08263).

    Args:
        student: Built Keras model, as for `NoisyStudentModel`.
        policy: By default `policies.FlexMatchPolicy(0.95)`. Give it
            `num_unlabeled` if it is known.
        **kwargs: As for `FixMatch`.

    Raises:
        ValueError: As `FixMatch`, from the constructor and from `fit()`.

    Example:

    >>> student = keras.Sequential([keras.Input((8, 8, 3)),
    ...     keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])
    >>> keras_fewlabels.models.FlexMatch(student).policy.threshold
    0.95
    """

    def __init__(self, student, *, policy=None, **kwargs):
        policy = FlexMatchPolicy(0.95) if policy is None else policy
        super().__init__(student, policy=policy, **kwargs)
