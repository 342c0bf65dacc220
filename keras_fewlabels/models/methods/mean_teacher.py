import keras
from keras import ops

from keras_fewlabels.models.ema_teacher import EMATeacher
from keras_fewlabels.models.methods.fix_match import FixMatch
from keras_fewlabels.policies import FixedThreshold
from keras_fewlabels.policies.parts import weighted_mean


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class MeanTeacher(FixMatch):
    """Trains a student to predict what its moving average predicts.

    Every image counts. The loss is the squared difference of the
    probabilities. Its weight grows over the first 40 % of the fit. With a
    handful of labels per class, training can collapse to a few classes: watch
    `class_entropy`.

    Reference:
        - [Tarvainen and Valpola, 2017](https://arxiv.org/abs/1703.01780).
          The strong view of the student is later practice.

    Args:
        student: Built Keras model, as for `NoisyStudentModel`.
        teacher: By default `EMATeacher(0.999)`.
        policy: By default `policies.FixedThreshold(0, soft=True)`, with which
            all images count.
        unlabeled_weight: Float, the weight of the unlabelled loss after it has
            grown.
        **kwargs: As for `FixMatch`.

    Raises:
        ValueError: As `FixMatch`, from the constructor and from `fit()`.

    Example:

    >>> student = keras.Sequential([keras.Input((8, 8, 3)),
    ...     keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])
    >>> keras_fewlabels.models.MeanTeacher(student).unlabeled_weight
    50.0
    """

    def __init__(
        self,
        student,
        *,
        teacher=None,
        policy=None,
        unlabeled_weight=50.0,
        **kwargs,
    ):
        super().__init__(
            student,
            teacher=EMATeacher(0.999) if teacher is None else teacher,
            policy=FixedThreshold(0, soft=True) if policy is None else policy,
            unlabeled_weight=unlabeled_weight,
            **kwargs,
        )

    def ramp(self, progress):
        return ops.minimum(progress / 0.4, 1.0)

    def unlabeled_loss(self, targets, predictions, weights):
        student = self.scores.probabilities(predictions)
        return weighted_mean(weights, ops.square(targets - student))
