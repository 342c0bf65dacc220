import keras
import pytest
from keras import layers

from keras_fewlabels.callbacks import FineTune


@pytest.mark.parametrize("schedule", [{}, [0, 5], "all"])
def test_rejects_an_empty_schedule(schedule):
    with pytest.raises(ValueError, match="from which epoch on what trains"):
        FineTune("backbone", schedule)


@pytest.mark.parametrize("epoch", [-1, 1.0, "0", True, None])
def test_rejects_epochs_that_cannot_be(epoch):
    message = "keys of `{}` are epochs, integers counted from 0. Received: "
    with pytest.raises(ValueError, match=message.format("schedule")):
        FineTune("backbone", {epoch: 0})
    with pytest.raises(ValueError, match=message.format("learning_rates")):
        FineTune("backbone", learning_rates={epoch: 0.1})


@pytest.mark.parametrize("choice", [-1, 2.5, "top", None, [1], True])
def test_rejects_choices_that_cannot_be(choice):
    with pytest.raises(ValueError, match=r"Received: schedule=\{3: "):
        FineTune("backbone", {0: 0, 3: choice})


@pytest.mark.parametrize("rate", [0, -0.1, "0.1", None, True])
def test_rejects_learning_rates_that_cannot_be(rate):
    with pytest.raises(ValueError, match=r"Received: learning_rates=\{3: "):
        FineTune("backbone", learning_rates={0: 0.1, 3: rate})


@pytest.mark.parametrize("layer_decay", [0, -0.5, 1.1, "0.8"])
def test_rejects_a_layer_decay_that_is_no_fraction(layer_decay):
    with pytest.raises(ValueError, match="Received: layer_decay="):
        FineTune("backbone", layer_decay=layer_decay)


def test_rejects_a_model_that_is_not_compiled():
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)], name="net")
    with pytest.raises(ValueError, match="Received: model='net', which is not"):
        FineTune(model).set_model(model)


def test_rejects_a_model_that_is_not_built():
    model = keras.Sequential([layers.Dense(1)], name="net")
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"not built.*Received: model='net'"):
        FineTune(model).set_model(model)
