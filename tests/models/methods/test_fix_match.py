"""All ready methods, which differ in a few lines from `FixMatch`."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels import models
from keras_fewlabels.data import mix_labeled_unlabeled
from keras_fewlabels.policies import FixedThreshold

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (24, 8, 8, 3), "uint8")
LABELS = np.arange(8) % 4
NO_NOISE = keras.layers.Identity()
METHODS = {
    "FixMatch": models.FixMatch,
    "UDA": models.UDA,
    "FlexMatch": models.FlexMatch,
    "FreeMatch": models.FreeMatch,
    "SoftMatch": models.SoftMatch,
    "AdaMatch": models.AdaMatch,
    "MeanTeacher": models.MeanTeacher,
    "MixMatch": models.MixMatch,
    "ReMixMatch": lambda student, **arguments: models.ReMixMatch(
        student, num_views=2, **arguments
    ),
    "NoisyStudent": lambda student, **arguments: models.NoisyStudent(
        student, classifier(), **arguments
    ),
}


def classifier(activation=None, front=()):
    return keras.Sequential(
        [
            keras.Input((8, 8, 3), dtype="uint8"),
            *front,
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(4, 3, strides=2),
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(4, activation=activation),
        ]
    )


def mixed(seed=0):
    return mix_labeled_unlabeled(
        (IMAGES[:8], LABELS), IMAGES, 4, unlabeled_ratio=2, seed=seed
    )


def trained(model, from_logits, **arguments):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits)
    model.compile(keras.optimizers.SGD(0.01), loss, **arguments)
    before = [ops.convert_to_numpy(w) for w in model.student.weights]
    logs = model.fit(mixed(), epochs=2, verbose=0).history
    assert np.isfinite([logs["loss"], logs["unlabeled_loss"]]).all()
    assert all(
        (old != ops.convert_to_numpy(new)).any()
        for old, new in zip(before, model.student.weights, strict=True)
    )


@pytest.mark.parametrize("name", ["FixMatch", "NoisyStudent", "MixMatch"])
def test_default_noise_trains(name):
    trained(METHODS[name](classifier()), from_logits=True)


def test_default_noise_of_a_mixed_and_an_unmixed_view_trains(eager):
    trained(METHODS["ReMixMatch"](classifier()), from_logits=True)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_labeled_images_are_augmented_as_in_the_papers(method):
    weak, strong = (keras.layers.Rescaling(1.0, shift) for shift in (50, 100))
    seen = []

    class Remember(keras.layers.Layer):
        def call(self, images):
            seen.append(images)
            return images

    model = method(
        classifier(front=[Remember()]), noise=strong, weak_noise=weak
    )
    model.mixing = None
    seen.clear()
    images = np.zeros((2, 8, 8, 3), "uint8")
    model({"labeled": images, "unlabeled": images}, training=True)
    seen = ops.convert_to_numpy(seen[0])
    all_strong = isinstance(model, models.NoisyStudent | models.ReMixMatch)
    assert (seen[:2] == (100 if all_strong else 50)).all()
    seen = seen[2:].reshape(-1, 2, 8 * 8 * 3).mean(axis=(1, 2))
    expected = {models.MixMatch: [100, 100], models.ReMixMatch: [100, 100, 50]}
    np.testing.assert_array_equal(
        # The strong view that ReMixMatch does not mix is not mixed either.
        seen[:3],
        expected.get(type(model), [100]),
    )


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_methods_train_with_their_defaults(method, eager):
    model = method(
        classifier(), noise=NO_NOISE, weak_noise=NO_NOISE, name="method"
    )
    trained(model, from_logits=True)


# In a graph, too.
@pytest.mark.tensorflow
@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_methods_compile_with_xla(method):
    model = method(classifier(), noise=NO_NOISE, weak_noise=NO_NOISE)
    trained(model, from_logits=True, jit_compile=True)


@pytest.mark.slow
@pytest.mark.tensorflow
def test_default_noise_compiles_with_xla():
    trained(models.FixMatch(classifier()), from_logits=True, jit_compile=True)


def test_noise_may_be_chosen_and_left_out():
    model = models.FixMatch(
        classifier(),
        noise=NO_NOISE,
        weak_noise=NO_NOISE,
    )
    model.compile(
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    images = ops.convert_to_tensor(IMAGES)
    np.testing.assert_array_equal(model.add_noise(images), IMAGES)
    taught, expected = map(
        ops.convert_to_numpy,
        (
            model.teach(images),
            ops.softmax(model.student(images, training=False)),
        ),
    )
    np.testing.assert_allclose(taught, expected, rtol=1e-6)


def test_value_range_of_the_default_noise_is_checked():
    model = models.FixMatch(classifier("softmax"), value_range=(0, 1))
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match=r"value range \(0, 1\)"):
        model.fit(mixed(), verbose=0)


def test_an_own_policy_takes_the_place_of_the_default():
    for method in METHODS.values():
        if method is not models.FreeMatch:  # which needs a fairness loss
            policy = FixedThreshold(0.6)
            assert method(classifier(), policy=policy).policy is policy
