"""Figures of models: accuracy, mistakes, pseudo-labels."""

from keras_fewlabels.loops.noisy_student.measure.examine import (
    examine,
    examine_decisions,
    examine_predictions,
    find_mistakes,
)
from keras_fewlabels.loops.noisy_student.measure.measure import (
    Labeler,
    PseudoLabels,
    accuracies,
    accuracies_of_decisions,
    measure_accuracy,
    measure_probabilities,
    predict,
    predict_outputs,
)

__all__ = [
    "Labeler",
    "PseudoLabels",
    "accuracies",
    "accuracies_of_decisions",
    "examine",
    "examine_decisions",
    "examine_predictions",
    "find_mistakes",
    "measure_accuracy",
    "measure_probabilities",
    "predict",
    "predict_outputs",
]
