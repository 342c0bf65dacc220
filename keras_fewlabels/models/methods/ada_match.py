import math

import keras
from keras import ops

from keras_fewlabels.models.methods.fix_match import FixMatch
from keras_fewlabels.policies import AdaMatchPolicy


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class AdaMatch(FixMatch):
    """`FixMatch` that follows the student's predictions on labelled images.

    Class shares and threshold are those of the labelled images. The unlabelled
    loss grows over the first half of the fit. The method also suits unlabelled
    images of another domain, with `separate_batch_norm=True`.

    Reference:
        - [Berthelot et al., 2021](https://arxiv.org/abs/2106.04732), without
          their random interpolation of logits.

    Args:
        student: Built Keras model, as for `NoisyStudentModel`.
        policy: By default `policies.AdaMatchPolicy()`.
        **kwargs: As for `FixMatch`.

    Raises:
        ValueError: As `FixMatch`, from the constructor and from `fit()`.

    Example:

    >>> student = keras.Sequential([keras.Input((8, 8, 3)),
    ...     keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])
    >>> model = keras_fewlabels.models.AdaMatch(student)
    >>> [round(float(model.ramp(share)), 2) for share in (0.0, 0.25, 0.5, 1.0)]
    [0.0, 0.5, 1.0, 1.0]
    """

    def __init__(self, student, *, policy=None, **kwargs):
        policy = AdaMatchPolicy() if policy is None else policy
        super().__init__(student, policy=policy, **kwargs)

    def ramp(self, progress):
        angle = ops.minimum(2 * math.pi * progress, math.pi)
        return 0.5 - ops.cos(angle) / 2
