import keras
import pytest

from keras_fewlabels.loops.check_compiled import check_compiled


def test_a_compiled_model_passes():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    with pytest.raises(ValueError, match=r"Call `compile\(\)` first.*not com"):
        check_compiled(model)
    model.compile("sgd", "mse")
    check_compiled(model)


@pytest.mark.parametrize("model", [None, "resnet", keras.layers.Dense(1)])
def test_what_is_no_model_is_refused(model):
    expected = "`model` must be a Keras model. Received: model="
    with pytest.raises(ValueError, match=expected):
        check_compiled(model)
