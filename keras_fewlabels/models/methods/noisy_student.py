import keras

from keras_fewlabels.layers import RandAugment
from keras_fewlabels.models.noisy_student_model import NoisyStudentModel
from keras_fewlabels.policies import FixedThreshold


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class NoisyStudent(NoisyStudentModel):
    """Trains a student under noise on the labels of a trained teacher.

    The teacher labels clean images. Soft labels of at least 30 % confidence
    count. Build the student with dropout and stochastic depth
    (`add_stochastic_depth`), at least as large as the teacher, and let it
    teach the next student. In the paper every image counts alike: set
    `unlabeled_weight` to the ratio of unlabelled to labelled images, and the
    label smoothing of the loss to 0.1.

    Reference:
        - [Xie et al., 2019](https://arxiv.org/abs/1911.04252). Their classes
          are balanced once, before training: `callbacks.PseudoLabeler`.

    Args:
        student: Built Keras model, as for `NoisyStudentModel`.
        teacher: Built and trained Keras model.
        policy: By default `policies.FixedThreshold(0.3, soft=True)`.
        noise: By default `RandAugment(2, 27, table="noisy_student")`, which
            is that of their largest models; smaller models need less.
        value_range: Pair of floats, the values of black and white in the
            images, for the default noise.
        **kwargs: As for `NoisyStudentModel`.

    Raises:
        ValueError: As `NoisyStudentModel`, also from `fit()`.

    Example:

    >>> teacher, student = (keras.Sequential([keras.Input((8, 8, 3)),
    ...     keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])
    ...     for _ in range(2))
    >>> keras_fewlabels.models.NoisyStudent(student, teacher).noise.magnitude
    27
    """

    def __init__(
        self,
        student,
        teacher,
        *,
        policy=None,
        noise=None,
        value_range=(0, 255),
        **kwargs,
    ):
        if policy is None:
            policy = FixedThreshold(0.3, soft=True)
        if noise is None:
            noise = RandAugment(2, 27, value_range, table="noisy_student")
        super().__init__(student, teacher, policy=policy, noise=noise, **kwargs)
