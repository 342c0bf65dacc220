import numpy as np
import pytest

from keras_fewlabels.models.student.pseudo_label_metrics import ClassEntropy

TARGETS = np.array([[0.7, 0.2, 0.1], [0.0, 1.0, 0.0]], "float32")


def test_entropy_of_all_batches_since_the_last_reset():
    metric = ClassEntropy(3)
    assert float(metric.result()) == 0  # nothing seen
    metric.update_state(TARGETS, sample_weight=np.array([0.5, 2.0]))
    metric.update_state(TARGETS[:1])
    shares = np.array([0.35 + 0.7, 0.1 + 2 + 0.2, 0.05 + 0.1]) / 3.5
    expected = -(shares * np.log(shares)).sum() / np.log(3)
    assert float(metric.result()) == pytest.approx(expected, rel=1e-5)
    metric.reset_state()
    metric.update_state(TARGETS[1:])
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
