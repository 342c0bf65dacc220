import types

import keras
import numpy as np
from keras import layers

from keras_fewlabels.loops.noisy_student.phase_data import PhaseData
from keras_fewlabels.loops.noisy_student.phases import (
    PHASE_KINDS,
    Phase,
    PhaseContext,
    has_features,
)

# The class is which of three corners is brightest, under noise.
RNG = np.random.default_rng(0)
LABELS = np.arange(120) % 3
IMAGES = RNG.normal(0, 0.3, (120, 2, 2, 1)).astype("float32")
IMAGES.reshape(120, 4)[np.arange(120), LABELS] += 2


def data_of(one_hot=False, test=True):
    labels = keras.utils.to_categorical(LABELS) if one_hot else LABELS
    pairs = [(IMAGES[a:b], labels[a:b]) for a, b in ((0, 30), (30, 60))]
    test = (IMAGES[60:], labels[60:]) if test else None
    return PhaseData(*pairs, test, IMAGES, 0, None)


def measure(model, data):
    context = PhaseContext(
        phase=Phase("linear probe", "linear probe", 0),
        recipe=types.SimpleNamespace(task=types.SimpleNamespace(num_classes=3)),
        data=data,
        student=model,
        teacher=None,
        policy=None,
        first_epoch=0,
        callbacks=None,
        progress=None,
    )
    return PHASE_KINDS["linear probe"].measure(context)


def build():
    return keras.Sequential(
        [keras.Input((2, 2, 1)), layers.Flatten(), layers.Dense(3)]
    )


def test_features_that_tell_the_classes_apart():
    for one_hot in (False, True):
        probe = measure(build(), data_of(one_hot))
        assert probe["seconds"] > 0
        for split, count in (("validation", 30), ("test", 60)):
            assert probe[split]["accuracy"] > 0.95
            assert probe[split]["num_images"] == count


def test_features_that_say_nothing():
    model = keras.Sequential(
        [
            keras.Input((2, 2, 1)),
            layers.Rescaling(0.0),
            layers.Flatten(),
            layers.Dense(3),
        ]
    )
    probe = measure(model, data_of(test=False))
    assert probe["validation"]["accuracy"] < 0.5
    assert probe["test"] is None


def test_the_model_stays_as_it_is():
    model = build()
    before = [np.array(weight) for weight in model.get_weights()]
    measure(model, data_of())
    for weight, same in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, same)


def test_no_probe_without_a_dense_layer():
    model = keras.Sequential(
        [
            keras.Input((2, 2, 1)),
            layers.Conv2D(3, 2),
            layers.GlobalAveragePooling2D(),
        ]
    )
    assert not has_features(model)
    assert has_features(build())
