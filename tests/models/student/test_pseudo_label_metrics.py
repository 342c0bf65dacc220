import numpy as np
import pytest

from keras_fewlabels.models.student.pseudo_label_metrics import (
    ClassEntropy,
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
    found = results(updated(labels, are_right=np.array([True, False, True])))
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
    metrics = updated(np.array([1, 2]), are_right=np.zeros(3, bool))
    assert set(metrics.shown_in(logs)) == {*shown, "pseudo_label_accuracy"}


DISTRIBUTIONS = np.array([[0.7, 0.2, 0.1], [0.0, 1.0, 0.0]], "float32")


def test_entropy_of_all_batches_since_the_last_reset():
    metric = ClassEntropy(3)
    assert float(metric.result()) == 0  # nothing seen
    metric.update_state(DISTRIBUTIONS, sample_weight=np.array([0.5, 2.0]))
    metric.update_state(DISTRIBUTIONS[:1])
    shares = np.array([0.35 + 0.7, 0.1 + 2 + 0.2, 0.05 + 0.1]) / 3.5
    expected = -(shares * np.log(shares)).sum() / np.log(3)
    assert float(metric.result()) == pytest.approx(expected, rel=1e-5)
    metric.reset_state()
    metric.update_state(DISTRIBUTIONS[1:])
    assert float(metric.result()) == pytest.approx(0, abs=1e-5)


def test_equal_shares_have_entropy_one_and_one_class_has_none():
    metric = ClassEntropy(4)
    metric.update_state(np.eye(4))
    assert float(metric.result()) == pytest.approx(1)
    metric = ClassEntropy(1)
    metric.update_state(np.ones((3, 1)))
    assert float(metric.result()) == 0


def test_config():
    config = ClassEntropy(5, name="entropy").get_config()
    assert ClassEntropy.from_config(config).get_config() == config
