import keras

from keras_fewlabels.models.methods.fix_match import FixMatch
from keras_fewlabels.policies import SoftMatchPolicy


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class SoftMatch(FixMatch):
    """`FixMatch` that weighs unsure pseudo-labels less, and drops none.

    Every unlabelled image counts a little from the first step on.

    Reference:
        - [Chen et al., 2023](https://arxiv.org/abs/2301.10921).

    Args:
        student: Built Keras model, as for `NoisyStudentModel`.
        policy: By default `policies.SoftMatchPolicy()`.
        **kwargs: As for `FixMatch`.

    Raises:
        ValueError: As `FixMatch`, from the constructor and from `fit()`.

    Example:

    >>> student = keras.Sequential([keras.Input((8, 8, 3)),
    ...     keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])
    >>> keras_fewlabels.models.SoftMatch(student).policy.n_sigma
    2
    """

    def __init__(self, student, *, policy=None, **kwargs):
        policy = SoftMatchPolicy() if policy is None else policy
        super().__init__(student, policy=policy, **kwargs)
