"""What a model says of images that it was not trained on."""

import numpy as np

from keras_fewlabels.data.checks import class_numbers
from keras_fewlabels.evaluation.calibration import calibration
from keras_fewlabels.evaluation.class_recalls import class_recalls
from keras_fewlabels.loops.report.page import choose_examples

# The most confident mistakes, as many as a page can show.
_NUM_MISTAKES = 20


def examine_predictions(probabilities, labels, scores):
    """Examines predictions by `examine`, or else by `examine_decisions`.

    Args:
        probabilities: Array of shape `(num_images, num_classes)`.
        labels: Class numbers or rows of the same images.
        scores: `ClassScores`, the kind of scores of the model.
    """
    look = examine if scores.one_true else examine_decisions
    return look(probabilities, labels)


def examine(probabilities, labels):
    """Examines predictions for images that a model was not trained on.

    Args:
        probabilities: Array of shape `(num_images, num_classes)`.
        labels: Class numbers or one-hot rows.

    Returns:
        Dict for JSON: the results of `find_mistakes` and `class_recalls`;
        `examples`, those of `choose_examples`; and `calibration`, those of
        the function of that name.
    """
    return {
        **_examined(
            class_numbers(labels),
            probabilities.argmax(axis=1),
            probabilities.max(axis=1),
            probabilities.shape[1],
        ),
        "calibration": calibration(probabilities, labels),
    }


def examine_decisions(probabilities, labels):
    """Examines predictions of several labels per image, as `examine` does.

    Every decision counts as an image of one of two classes of its own: "no"
    to the label of number `k` is the class `2 * k`, "yes" is `2 * k + 1`.

    Args:
        probabilities: Array of shape `(num_images, num_labels)`.
        labels: Array of 0 and 1 likewise.

    Returns:
        Dict for JSON as of `examine`. The `index` is that of the image, and
        `recalls` has those of "yes", one per label.
    """
    num_labels = probabilities.shape[1]
    answers = 2 * np.arange(num_labels)
    decided = probabilities > 0.5
    labels = np.asarray(labels).astype(int)
    found = _examined(
        (answers + labels).reshape(-1),
        (answers + decided).reshape(-1),
        np.maximum(probabilities, 1 - probabilities).reshape(-1),
        2 * num_labels,
    )
    found["recalls"] = found["recalls"][1::2]
    for each in [*found["examples"], *found["mistakes"]]:
        each["index"] //= num_labels
    yes = probabilities.reshape(-1)
    pairs = np.stack([1 - yes, yes], axis=1)
    return {**found, "calibration": calibration(pairs, labels.reshape(-1))}


def find_mistakes(probabilities, labels):
    """Counts which classes are confused, and finds the surest mistakes.

    Args:
        probabilities: Array of shape `(num_images, num_classes)`.
        labels: Class numbers or one-hot rows.

    Returns:
        Dict for JSON: `confusion`, rows of counts per true class, with a
        column per predicted class; and `mistakes`, a list of dicts of
        `index`, `true`, `predicted` and `confidence`, the surest first.
    """
    return _mistakes(
        class_numbers(labels),
        probabilities.argmax(axis=1),
        probabilities.max(axis=1),
        probabilities.shape[1],
    )


def _examined(labels, predicted, confidence, num_classes):
    mistakes = _mistakes(labels, predicted, confidence, num_classes)
    return {
        **mistakes,
        "examples": choose_examples(labels, predicted, confidence),
        **class_recalls(mistakes["confusion"]),
    }


def _mistakes(labels, predicted, confidence, num_classes):
    confusion = np.zeros((num_classes, num_classes), int)
    np.add.at(confusion, (labels, predicted), 1)
    wrong = np.flatnonzero(predicted != labels)
    surest = wrong[np.argsort(-confidence[wrong], kind="stable")]
    return {
        "confusion": confusion.tolist(),
        "mistakes": [
            {
                "index": int(index),
                "true": int(labels[index]),
                "predicted": int(predicted[index]),
                "confidence": float(confidence[index]),
            }
            for index in surest[:_NUM_MISTAKES]
        ],
    }
