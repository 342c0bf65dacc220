"""Parts that several policies share."""

from keras_fewlabels.policies.parts.adjusted_policy import AdjustedPolicy
from keras_fewlabels.policies.parts.check_scores import (
    check_class_scores,
    check_one_true,
    check_own_activation,
    check_policy_of,
    check_same_classes,
)
from keras_fewlabels.policies.parts.class_scores import (
    ClassScores,
    OneSigmoid,
    Sigmoids,
    weighted_mean,
)
from keras_fewlabels.policies.parts.collapse import collapse_of_classes
from keras_fewlabels.policies.parts.global_batch import (
    global_batch,
    num_replicas,
)
from keras_fewlabels.policies.parts.moving_average import move_average
from keras_fewlabels.policies.parts.pseudo_targets import pseudo_targets
from keras_fewlabels.policies.parts.read_scores import (
    check_one_class,
    num_several_labels,
    scores_of,
    scores_of_loss,
)

__all__ = [
    "AdjustedPolicy",
    "ClassScores",
    "OneSigmoid",
    "Sigmoids",
    "check_class_scores",
    "check_one_class",
    "check_one_true",
    "check_own_activation",
    "check_policy_of",
    "check_same_classes",
    "collapse_of_classes",
    "global_batch",
    "move_average",
    "num_replicas",
    "num_several_labels",
    "pseudo_targets",
    "scores_of",
    "scores_of_loss",
    "weighted_mean",
]
