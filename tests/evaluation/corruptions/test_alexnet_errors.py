import numpy as np
import pytest

from keras_fewlabels.evaluation import alexnet_errors


def test_names_and_range():
    errors = alexnet_errors()
    assert len(errors) == 15
    assert np.mean(list(errors.values())) == pytest.approx(0.788993, abs=1e-6)


def test_each_call_has_its_own():
    alexnet_errors().clear()
    assert alexnet_errors()["fog"] == 0.819324
