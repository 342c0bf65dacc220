import keras

from keras_fewlabels.foundation import check_number
from keras_fewlabels.models.methods.fix_match import FixMatch
from keras_fewlabels.policies import FreeMatchPolicy


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class FreeMatch(FixMatch):
    """`FixMatch` whose thresholds follow the confidence reached so far.

    A second loss keeps the student's predictions diverse.

    Reference:
        - [Wang et al., 2022](https://arxiv.org/abs/2205.07246).

    Args:
        student: Built Keras model, as for `NoisyStudentModel`.
        policy: By default `policies.FreeMatchPolicy()`.
        fairness_weight: Float, the weight of the loss for diversity; 0.001 to
            0.05 in the paper.
        **kwargs: As for `FixMatch`.

    Raises:
        ValueError: If the policy has no `fairness()`, or the weight is
            negative.

    Example:

    >>> student = keras.Sequential([keras.Input((8, 8, 3)),
    ...     keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])
    >>> keras_fewlabels.models.FreeMatch(student).fairness_weight
    0.01
    """

    def __init__(self, student, *, policy=None, fairness_weight=0.01, **kwargs):
        policy = FreeMatchPolicy() if policy is None else policy
        if not hasattr(policy, "fairness"):
            raise ValueError(
                "FreeMatch needs a policy with a `fairness()` loss, such as "
                f"`FreeMatchPolicy`. Received: policy={policy!r}"
            )
        super().__init__(student, policy=policy, **kwargs)
        check_number(fairness_weight, "fairness_weight", "[0, inf)")
        self.fairness_weight = fairness_weight

    def unlabeled_loss(self, targets, predictions, weights):
        loss = super().unlabeled_loss(targets, predictions, weights)
        student = self.scores.probabilities(predictions)
        fairness = self.policy.fairness(student, weights)
        return loss + self.fairness_weight * fairness

    def get_config(self):
        return {**super().get_config(), "fairness_weight": self.fairness_weight}
