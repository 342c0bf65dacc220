import json

import keras
import numpy as np
import pytest

from keras_fewlabels.loops.tuning.augmented_training import AugmentedTraining

pytestmark = pytest.mark.usefixtures("eager")

DRAWN = np.random.default_rng(0)
X = DRAWN.integers(256, size=(24, 4, 4, 1)).astype("uint8")
Y = np.arange(24) % 2
OPTIONS = {"ops": ["brightness"]}


def build_model(rate=0.25):
    model = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Flatten(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.SGD(rate),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def training_of(build=build_model, x=X, y=Y, epochs=2, seed=3, options=OPTIONS):
    train, validation = (x[:16], y[:16]), (x[16:], y[16:])
    return AugmentedTraining(build, train, validation, epochs, 8, seed, options)


def test_without_ops_it_is_the_fit_one_would_write():
    keras.utils.set_random_seed(3)
    model = build_model()
    model.fit(X[:16], Y[:16], batch_size=8, epochs=2, verbose=0)
    _, accuracy = model.evaluate(X[16:], Y[16:], verbose=0)
    assert training_of().measure_accuracy(0, 0) == pytest.approx(accuracy)


def test_a_trial_leaves_nothing_for_the_next():
    training = training_of()
    first = training.measure_accuracy(2, 9)
    training.measure_accuracy(1, 3)
    assert training.measure_accuracy(2, 9) == first


def test_to_dict_tells_apart_what_decides():
    same = training_of().to_dict()
    assert json.loads(json.dumps(same)) == training_of().to_dict()
    others = {
        "data": training_of(x=255 - X),
        "optimizer": training_of(lambda: build_model(0.5)),
        "epochs": training_of(epochs=3),
        "ops": training_of(options={"ops": ["contrast"]}),
    }
    for name, training in others.items():
        other = training.to_dict()
        assert [key for key in same if same[key] != other[key]] == [name]
    assert training_of(seed=4).to_dict()["seed"] == 4


def test_one_model_for_all_trials_is_refused():
    model = build_model()
    training = training_of(lambda: model)
    training.measure_accuracy(0, 0)
    with pytest.raises(
        ValueError, match="Every trial must start from the same"
    ):
        training.measure_accuracy(1, 3)
