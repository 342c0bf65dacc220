"""Parts that several policies share."""

from keras_fewlabels.policies.parts.adjusted_policy import AdjustedPolicy
from keras_fewlabels.policies.parts.class_probabilities import (
    check_class_scores,
    check_same_classes,
    class_probabilities,
    gives_logits,
    reads_class_numbers,
    reads_logits,
)
from keras_fewlabels.policies.parts.collapse import collapse_of_classes
from keras_fewlabels.policies.parts.global_batch import (
    global_batch,
    num_replicas,
)
from keras_fewlabels.policies.parts.moving_average import move_average
from keras_fewlabels.policies.parts.pseudo_targets import pseudo_targets

__all__ = [
    "AdjustedPolicy",
    "check_class_scores",
    "check_same_classes",
    "class_probabilities",
    "collapse_of_classes",
    "gives_logits",
    "global_batch",
    "move_average",
    "num_replicas",
    "pseudo_targets",
    "reads_class_numbers",
    "reads_logits",
]
