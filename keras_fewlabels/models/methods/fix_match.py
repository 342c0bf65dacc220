import keras

from keras_fewlabels.models.methods.augmented_views import (
    strong_view,
    weak_view,
)
from keras_fewlabels.models.noisy_student_model import NoisyStudentModel


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class FixMatch(NoisyStudentModel):
    """Trains a student on strong views of images that it labels in weak views.

    Only labels of at least 95 % confidence count. The method is the simplest
    of its family, and the one to compare others with. The others are this
    class with another policy. Seven unlabelled images per labelled one are
    usual.

    Reference:
        - [Sohn et al., 2020](https://arxiv.org/abs/2001.07685).

    Args:
        student: Built Keras model, as for `NoisyStudentModel`.
        policy: By default `policies.FixedThreshold(0.95)`.
        noise: Layer for the images of the student. By default flips,
            `RandAugment(2, 10, table="fixmatch")` and a cutout;
            `keras.layers.Identity()` for none.
        weak_noise: Layer for the images that the student labels. By default
            flips and shifts.
        value_range: Pair of floats, the values of black and white in the
            images, for the default noise.
        labeled_noise: As for `NoisyStudentModel`, here weak by default.
        **kwargs: As for `NoisyStudentModel`.

    Raises:
        ValueError: As for `NoisyStudentModel`. From `fit()`, if the compiled
            loss is not one cross-entropy of Keras, by name or as an object. A
            list, dict, lambda or other function is refused, because whether
            the student gives logits is read off the loss.

    Example:

    >>> student = keras.Sequential([keras.Input((8, 8, 3)),
    ...     keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])
    >>> keras_fewlabels.models.FixMatch(student).policy.threshold
    0.95
    """

    def __init__(
        self,
        student,
        *,
        policy=None,
        noise=None,
        weak_noise=None,
        value_range=(0, 255),
        labeled_noise="weak",
        **kwargs,
    ):
        if noise is None:
            noise = strong_view(value_range)
        if weak_noise is None:
            weak_noise = weak_view(value_range)
        super().__init__(
            student,
            policy=policy,
            noise=noise,
            weak_noise=weak_noise,
            labeled_noise=labeled_noise,
            **kwargs,
        )
