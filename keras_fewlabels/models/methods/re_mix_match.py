import keras
from keras import ops

from keras_fewlabels.foundation import check_number
from keras_fewlabels.layers.mix_up import MixUp
from keras_fewlabels.models.methods.fix_match import FixMatch
from keras_fewlabels.policies import DistributionAlignment, FixedThreshold


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class ReMixMatch(FixMatch):
    """`MixMatch` with strong views, and with pseudo-labels of even classes.

    The student labels a weak view of each unlabelled image. The labels are
    aligned with the shares that the classes should have, and sharpened.
    Several strong views learn the label of the weak one, and so does a weak
    view. They are mixed with each other and with strong views of the labelled
    images. One strong view is learned without mixing as well.

    Reference:
        - [Berthelot et al., 2019](https://arxiv.org/abs/1911.09785), without
          the loss of rotations, which needs a second head on the features of
          the student. Their strong views are of CTAugment, which learns in
          training.

    Args:
        student: Built Keras model, as for `NoisyStudentModel`.
        policy: By default `DistributionAlignment(FixedThreshold(0, soft=True,
            temperature=0.5))`, with which all images count. Give it the
            `prior` if the classes are uneven, and a lower `momentum` in a
            short fit.
        mixing: As for `MixMatch`.
        num_views: Int, how many strong views of each unlabelled image the
            student sees. All are in one batch, with two more views of each
            unlabelled image.
        unmixed_weight: Float, the weight of the strong view that is not
            mixed, beside that of the mixed ones.
        unlabeled_weight: Float, the weight of the unlabelled loss.
        labeled_noise: As for `NoisyStudentModel`, here that of all images.
        **kwargs: As for `FixMatch`.

    Raises:
        ValueError: As for `FixMatch`, and if `unmixed_weight` is negative.

    Example:

    >>> student = keras.Sequential([keras.Input((8, 8, 3)),
    ...     keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])
    >>> keras_fewlabels.models.ReMixMatch(student).num_views
    8
    """

    def __init__(
        self,
        student,
        *,
        policy=None,
        mixing=None,
        num_views=8,
        unmixed_weight=1 / 3,
        unlabeled_weight=1.5,
        labeled_noise=None,
        **kwargs,
    ):
        if policy is None:
            policy = DistributionAlignment(
                FixedThreshold(0, soft=True, temperature=0.5)
            )
        super().__init__(
            student,
            policy=policy,
            mixing=MixUp(0.75) if mixing is None else mixing,
            num_views=num_views,
            unlabeled_weight=unlabeled_weight,
            labeled_noise=labeled_noise,
            **kwargs,
        )
        check_number(unmixed_weight, "unmixed_weight", "[0, inf)")
        self.unmixed_weight = unmixed_weight

    def views(self, labeled, unlabeled):
        strong = super().views(labeled, unlabeled)
        return ops.concatenate([strong, self.add_weak_noise(unlabeled)])

    def mix(self, images, shares):
        num_rows, num_images = ops.shape(shares)
        num_unlabeled = (num_rows - num_images) // self.num_views
        first = slice(num_images - num_unlabeled, num_images)
        mixed = super().mix(images, shares)
        return tuple(
            ops.concatenate([rows, unmixed[first]])
            for rows, unmixed in zip(mixed, (images, shares), strict=True)
        )

    def unlabeled_loss(self, targets, predictions, weights):
        loss = super().unlabeled_loss(targets, predictions, weights)
        num_unlabeled = ops.shape(loss)[0] // (self.num_views + 2)
        mixed, unmixed = loss[:-num_unlabeled], loss[-num_unlabeled:]
        # Each part has a mean of its own.
        return ops.mean(mixed) + self.unmixed_weight * unmixed

    def get_config(self):
        return {**super().get_config(), "unmixed_weight": self.unmixed_weight}
