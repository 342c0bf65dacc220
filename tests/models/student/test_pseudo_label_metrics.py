import numpy as np
import pytest

from keras_fewlabels.models.student.pseudo_label_metrics import (
    PseudoLabelMetrics,
)

TARGETS = np.array([[0.9, 0.1, 0.0], [0.2, 0.7, 0.1], [0.1, 0.1, 0.8]])
WEIGHTS = np.array([1.0, 0.5, 0.0])
VALUES = {
    "supervised_loss": 2.0,
    "unlabeled_loss": 3.0,
    "mask_ratio": WEIGHTS,
    "confidence": TARGETS.max(axis=1),
}


def updated(labels, **arguments):
    metrics = PseudoLabelMetrics()
    metrics.build((None, 3))
    metrics.update(labels, TARGETS, WEIGHTS, **arguments, **VALUES)
    return metrics


def results(metrics):
    return {each.name: float(each.result()) for each in metrics.metrics}


@pytest.mark.parametrize(
    "labels", [np.array([2, 2]), np.array([[2], [2]]), np.eye(3)[[2, 2]]]
)
def test_all_of_a_step(labels):
    # Of the images that count the first is right: 1 of 1.5.
    found = results(updated(labels, truth=np.array([0, 2, 2])))
    shares = (TARGETS.T @ WEIGHTS) / 1.5
    terms = shares[shares > 0] * np.log(shares[shares > 0])
    assert found == pytest.approx(
        {
            "supervised_loss": 2,
            "unlabeled_loss": 3,
            "mask_ratio": 0.5,
            "confidence": 0.8,
            "pseudo_label_accuracy": 1 / 1.5,
            "class_entropy": -terms.sum() / np.log(3),
            "label_entropy": 0,
        },
        rel=1e-5,
        abs=1e-6,
    )


def test_logs_have_what_means_something():
    metrics = updated(np.array([1, 2]))
    logs = {"loss": 1.0, **results(metrics)}
    shown = {"loss", *VALUES, "class_entropy"}
    assert set(metrics.shown_in(logs)) == shown
    assert set(metrics.shown_in(logs, mixed=False)) == {"loss"}
    metrics.paused = True
    assert set(metrics.shown_in(logs)) == {"loss"}
    metrics = updated(np.array([1, 2]), truth=np.zeros(3))
    assert set(metrics.shown_in(logs)) == {*shown, "pseudo_label_accuracy"}
