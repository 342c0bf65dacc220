import keras
import numpy as np
from keras import ops

from keras_fewlabels.callbacks.starting_point import StartingPoint


def test_weights_and_optimizer_go_back():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile("adam", "mse")
    images = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
    targets = images[:, :2]
    model.fit(images, targets, verbose=0)
    origin = StartingPoint(model)

    def fit():
        model.fit(images, targets, epochs=2, shuffle=False, verbose=0)
        variables = [*model.weights, *model.optimizer.variables]
        return [np.array(ops.convert_to_numpy(v)) for v in variables]

    first = fit()
    other = fit()
    origin.restore()
    again = fit()
    for one, two, three in zip(first, again, other, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-6)
        assert one.dtype == two.dtype
        if one.dtype == "float32" and one.ndim == 2:
            assert (one != three).any()


def test_before_the_optimizer_has_any_state():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")
    origin = StartingPoint(model)
    model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    origin.restore()
    assert int(ops.convert_to_numpy(model.optimizer.iterations)) == 0
