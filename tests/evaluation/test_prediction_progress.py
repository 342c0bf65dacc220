import keras
import numpy as np
import pytest

from keras_fewlabels.evaluation.prediction_progress import PredictionProgress

INPUTS = np.zeros((7, 2), "float32")


def identity():
    return keras.Sequential([keras.Input((2,)), keras.layers.Identity()])


@pytest.mark.parametrize(
    "steps_per_execution",
    [
        1,
        pytest.param(
            2,
            marks=pytest.mark.skipif(
                keras.backend.backend() == "torch",
                reason="Keras takes one step at a time on torch.",
            ),
        ),
    ],
)
def test_one_bar_over_all_calls(steps_per_execution, capsys):
    model = identity()
    model.compile(steps_per_execution=steps_per_execution)
    progress = PredictionProgress(6, "auto")
    for expected in (3, 6):
        model.predict(INPUTS, 3, verbose=0, callbacks=[progress])
        assert progress.num_done == expected
    assert "6/6" in capsys.readouterr().out


def test_silent(capsys):
    progress = PredictionProgress(3, 0)
    identity().predict(INPUTS, 3, verbose=0, callbacks=[progress])
    assert capsys.readouterr().out == ""
