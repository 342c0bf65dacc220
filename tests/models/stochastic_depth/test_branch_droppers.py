import keras
import pytest
from keras import layers

from keras_fewlabels.layers import StochasticDepth
from keras_fewlabels.models.stochastic_depth.branch_droppers import (
    branch_droppers,
    takes_one_tensor,
)


class DropPath(layers.Layer):
    """As other packages have it."""

    def __init__(self, rate=0.2):
        super().__init__()
        self.rate = rate

    def call(self, x):
        return x


class SomeDropPath(DropPath):
    """As keras-hub has it, where `rate` may also be `drop_prob`."""

    def __init__(self, drop_prob):
        super().__init__()
        del self.rate
        self.drop_prob = drop_prob


@pytest.mark.parametrize(
    "layer, drops",
    [
        (layers.Dropout(0.2, noise_shape=(None, 1)), True),
        (layers.Dropout(0.2, noise_shape=(1, None)), False),
        (layers.Dropout(0.2, noise_shape=(None, 8)), False),
        (layers.Dropout(0.0, noise_shape=(None, 1)), False),
        (layers.Dropout(0.2), False),
        (DropPath(), True),
        (DropPath(0), False),
        (SomeDropPath(0.2), True),
        (SomeDropPath(0), False),
        (StochasticDepth(), True),
        (layers.Dense(8), False),
    ],
)
def test_what_drops_a_branch(layer, drops):
    inner = keras.Sequential([keras.Input((8,)), layer])
    model = keras.Sequential([keras.Input((8,)), inner])
    assert branch_droppers(model) == [layer] * drops


def test_what_passes_one_tensor_on():
    inputs = keras.Input((8,))
    one, pair = StochasticDepth(), StochasticDepth()
    pair([inputs, one(inputs)])
    assert takes_one_tensor(one)
    assert not takes_one_tensor(pair)
    assert not takes_one_tensor(StochasticDepth())
