import keras
from keras import ops

from keras_fewlabels.layers.mix_up import MixUp
from keras_fewlabels.models.methods.augmented_views import weak_view
from keras_fewlabels.models.methods.fix_match import FixMatch
from keras_fewlabels.policies import FixedThreshold
from keras_fewlabels.policies.parts import weighted_mean


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class MixMatch(FixMatch):
    """Trains a student on mixtures of labelled and unlabelled images.

    The student labels weak views of an unlabelled image. The mean of its
    predictions, sharpened, is the label of all views. All labelled and
    unlabelled images are then mixed with each other, and so are their labels.
    The loss of the unlabelled part is the squared difference of the
    probabilities, in which every image counts. Its weight grows over the
    whole fit: in a fit of a thousand steps, a weight that is full early makes
    the student sure of its first guesses.

    Reference:
        - [Berthelot et al., 2019](https://arxiv.org/abs/1905.02249). There
          the weight grows over the first 16,000 of a million steps, and the
          student is trained on the views that it labelled. Here all views are
          drawn anew.

    Args:
        student: Built Keras model, as for `NoisyStudentModel`.
        policy: By default `FixedThreshold(0, soft=True, temperature=0.5)`,
            with which all images count.
        noise: Layer for the images of the student. By default that of
            `weak_noise`, flips and shifts.
        mixing: By default MixUp that gives each image the larger share, drawn
            from `Beta(0.75, 0.75)`.
        num_views: Int, how many views of each unlabelled image are labelled,
            and how many the student sees.
        value_range: Pair of floats, the values of black and white in the
            images, for the default noise.
        unlabeled_weight: Float, the weight of the unlabelled loss at the end
            of the fit. That of the paper is 75 for CIFAR-10. In a short fit,
            10 to 25 is safer.
        **kwargs: As for `FixMatch`.

    Raises:
        ValueError: As `FixMatch`, from the constructor and from `fit()`.

    Example:

    >>> student = keras.Sequential([keras.Input((8, 8, 3)),
    ...     keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])
    >>> keras_fewlabels.models.MixMatch(student).mixing.alpha
    0.75
    """

    def __init__(
        self,
        student,
        *,
        policy=None,
        noise=None,
        mixing=None,
        num_views=2,
        value_range=(0, 255),
        unlabeled_weight=75.0,
        **kwargs,
    ):
        if policy is None:
            policy = FixedThreshold(0, soft=True, temperature=0.5)
        super().__init__(
            student,
            policy=policy,
            noise=weak_view(value_range) if noise is None else noise,
            mixing=MixUp(0.75) if mixing is None else mixing,
            num_views=num_views,
            value_range=value_range,
            unlabeled_weight=unlabeled_weight,
            **kwargs,
        )

    def teach(self, images):
        views = super().teach(ops.concatenate([images] * self.num_views))
        num_images, num_classes = ops.shape(images)[0], views.shape[-1]
        views = ops.reshape(views, (self.num_views, num_images, num_classes))
        return ops.mean(views, axis=0)

    def ramp(self, progress):
        return progress

    def unlabeled_loss(self, targets, predictions, weights):
        student = self.scores.probabilities(predictions)
        return weighted_mean(weights, ops.square(targets - student))
