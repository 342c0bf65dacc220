import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers, ops

import keras_fewlabels as kfl
from keras_fewlabels.foundation.keras_internals import flatten_layers

RNG = np.random.default_rng(0)
NAMES = ["cat", "dog", "sea/gull"]
PHOTOS = RNG.integers(0, 256, (5, 40, 30, 3), "uint8")


def augmented():
    """Noise of every kind, in front of logits."""
    return keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            kfl.layers.RandAugment(value_range=(-1, 1)),
            layers.Pipeline([layers.RandomFlip(), layers.RandomContrast(0.5)]),
            layers.Conv2D(8, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.SpatialDropout2D(0.3),
            layers.GaussianNoise(0.5),
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.5),
            layers.Dense(3),
        ]
    )


def branch(name):
    return keras.Sequential(
        [
            keras.Input((16, 16, 4)),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.BatchNormalization(),
            kfl.layers.StochasticDepth(0.25, scale="inference"),
        ],
        name=name,
    )


def residual():
    """All that drops branches, in nested models, in front of a softmax."""
    inputs = keras.Input((16, 16, 3))
    x = layers.Conv2D(4, 3, padding="same")(inputs)
    for scale in ("training", "inference"):
        drop = kfl.layers.StochasticDepth(0.4, scale=scale)
        x = drop([x, layers.Conv2D(4, 3, padding="same")(x)])
        x = kfl.layers.StochasticResidual(branch(scale), 0.3, scale=scale)(x)
    backbone = keras.Model(inputs, x, name="backbone")
    return keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            backbone,
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )


def whole_numbers():
    """A classifier of uint8 images that scales them itself."""
    inputs = keras.Input((16, 16, 3), dtype="uint8")
    x = kfl.layers.RandAugment()(inputs)
    x = layers.RandomInvert(1.0)(x)
    mean, variance = np.full(3, 100.0), np.full(3, 900.0)
    x = layers.Normalization(mean=mean, variance=variance)(x)
    x = layers.Dense(4, activation="relu")(layers.Flatten()(x))
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(x))


def randomized(model):
    """Statistics and biases that are not 0 or 1."""
    model.set_weights(
        [w + RNG.uniform(-0.1, 0.1, w.shape) for w in model.get_weights()]
    )
    return model


# Classifier, value range, whether it gives logits.
CLASSIFIERS = {
    "augmented": (augmented, (-1, 1), True),
    "residual": (residual, (0, 1), False),
    "whole numbers": (whole_numbers, (0, 255), False),
}


def resized():
    """The photos as a classifier without a front sees them, 0 to 255."""
    images = ops.image.resize(PHOTOS.astype("float32"), (16, 16))
    return ops.convert_to_numpy(images)


def expected_of(classifier, value_range, gives_logits):
    low, high = value_range
    images = resized() / 255 * (high - low) + low
    if classifier.inputs[0].dtype == "uint8":
        images = images.round().astype("uint8")
    outputs = classifier.predict(images, verbose=0)
    if gives_logits:
        outputs = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        outputs /= outputs.sum(axis=1, keepdims=True)
    return outputs


LOAD_ALONE = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "keras_fewlabels":
            raise ImportError("keras_fewlabels is not installed")

sys.meta_path.insert(0, Refuse())
import json, pathlib, keras, numpy as np

photos = np.load("photos.npy")
for path in pathlib.Path().glob("*.keras"):
    model = keras.saving.load_model(path)
    names = json.loads(model.get_layer("class_names").layers[0].name)
    assert names == ["cat", "dog", "sea/gull"], names
    np.save(path.with_suffix(".npy"), model.predict(photos, verbose=0))
try:
    import keras_fewlabels
except ImportError:
    print("loaded alone")
"""


def test_files_predict_the_same_where_the_package_is_not(tmp_path):
    np.save(tmp_path / "photos.npy", PHOTOS)
    expected = {}
    for name, (build, value_range, gives_logits) in CLASSIFIERS.items():
        classifier = randomized(build())
        expected[name] = expected_of(classifier, value_range, gives_logits)
        model = kfl.models.standalone(
            classifier, NAMES, image_size=(16, 16), value_range=value_range
        )
        found = model.predict(PHOTOS, verbose=0)
        np.testing.assert_allclose(found, expected[name], atol=1e-5)
        model.save(tmp_path / f"{name}.keras")
    run = subprocess.run(
        [sys.executable, "-c", LOAD_ALONE],
        cwd=tmp_path,
        env={**os.environ, "KERAS_BACKEND": keras.backend.backend()},
        capture_output=True,
        text=True,
    )
    assert run.stdout.strip().endswith("loaded alone"), run.stderr
    for name, probabilities in expected.items():
        # Not the same answer for all, or nothing would be shown.
        assert np.ptp(probabilities, axis=0).max() > 1e-3
        found = np.load(tmp_path / f"{name}.npy")
        np.testing.assert_allclose(found, probabilities, atol=1e-5)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_nothing_for_training_is_left(name):
    build, value_range, _ = CLASSIFIERS[name]
    classifier = build()
    before = classifier.get_weights()
    model = kfl.models.standalone(classifier, NAMES, value_range=value_range)
    left = [type(layer) for layer in flatten_layers(model)]
    assert all(kind.__module__.startswith("keras.") for kind in left)
    words = ("Random", "Dropout", "Noise", "Stochastic", "Pipeline")
    assert not [kind for kind in left if any(w in str(kind) for w in words)]
    assert not model.trainable_variables
    # Also when it is called as if it were trained.
    images = PHOTOS[:2].astype("float32")
    np.testing.assert_allclose(
        ops.convert_to_numpy(model(images, training=True)),
        ops.convert_to_numpy(model(images)),
        atol=1e-6,
    )
    for weight, first in zip(classifier.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, first)
    assert classifier.trainable


def student_model(teacher):
    student = randomized(augmented())
    model = kfl.models.NoisyStudentModel(student, teacher)
    # After some training the two differ.
    student.set_weights([weight * 0.5 for weight in student.get_weights()])
    return model


@pytest.mark.parametrize("which", ["student", "teacher"])
@pytest.mark.parametrize("kind", ["average", "model"])
def test_student_or_teacher_of_a_noisy_student(which, kind):
    teacher = kfl.models.EMATeacher()
    if kind == "model":
        teacher = randomized(augmented())
    model = student_model(teacher)
    expected = {
        "student": model.student,
        "teacher": teacher.model if kind == "average" else teacher,
    }
    shown = {"student": model, "teacher": model.teacher}[which]
    alone = kfl.models.standalone(
        shown, NAMES, image_size=(16, 16), value_range=(-1, 1)
    )
    found = alone.predict(PHOTOS, verbose=0)
    np.testing.assert_allclose(
        found, expected_of(expected[which], (-1, 1), True), atol=1e-5
    )
    other = expected["teacher" if which == "student" else "student"]
    assert np.abs(found - expected_of(other, (-1, 1), True)).max() > 1e-3


def test_an_average_has_the_scores_of_the_model_that_trains_it():
    student = keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            layers.Flatten(),
            layers.Dense(3),
        ]
    )
    model = kfl.models.FixMatch(student, teacher=kfl.models.EMATeacher())
    model.compile("sgd", keras.losses.BinaryCrossentropy(from_logits=True))
    alone = kfl.models.standalone(
        model.teacher, NAMES, image_size=(16, 16), value_range=(-1, 1)
    )
    logits = student.predict(PHOTOS[:, :16, :16] / 127.5 - 1, verbose=0)
    np.testing.assert_allclose(
        alone.predict(PHOTOS[:, :16, :16], verbose=0),
        1 / (1 + np.exp(-logits)),
        atol=1e-5,
    )


def test_images_of_any_size_and_dtype():
    model = kfl.models.standalone(
        residual(), NAMES, image_size=(16, 16), value_range=(0, 1)
    )
    small = PHOTOS[:, :16, :16]
    from_bytes = model.predict(small, verbose=0)
    floats = model.predict(small.astype("float32"), verbose=0)
    np.testing.assert_array_equal(from_bytes, floats)
    assert model.predict(PHOTOS[:, :7, :33], verbose=0).shape == (5, 3)


def test_classifier_of_any_size_sees_images_as_they_are():
    inputs = keras.Input((None, None, 3))
    x = layers.Conv2D(3, 3, activation="relu")(inputs)
    x = layers.Dense(3, "softmax")(layers.GlobalMaxPooling2D()(x))
    classifier = keras.Model(inputs, x)
    model = kfl.models.standalone(classifier, NAMES, value_range=(0, 255))
    images = PHOTOS.astype("float32")
    np.testing.assert_allclose(
        model.predict(images, verbose=0),
        classifier.predict(images, verbose=0),
        atol=1e-6,
    )
    names = [layer.name for layer in model.layers]
    assert names == ["image", "classifier", "class_names"]


def test_from_logits_overrides_what_the_outputs_look_like():
    classifier = residual()
    once = kfl.models.standalone(classifier, NAMES, value_range=(0, 1))
    twice = kfl.models.standalone(
        classifier, NAMES, value_range=(0, 1), from_logits=True
    )
    probabilities = once.predict(PHOTOS, verbose=0)
    exponents = np.exp(probabilities)
    np.testing.assert_allclose(
        twice.predict(PHOTOS, verbose=0),
        exponents / exponents.sum(axis=1, keepdims=True),
        atol=1e-6,
    )


def test_mixed_precision_gives_probabilities_of_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    classifier = residual()
    model = kfl.models.standalone(classifier, NAMES, value_range=(0, 1))
    probabilities = model.predict(PHOTOS, verbose=0)
    assert probabilities.dtype == "float32"
    np.testing.assert_allclose(
        probabilities,
        expected_of(classifier, (0, 1), False).astype("float32"),
        atol=1e-2,
    )


@keras.saving.register_keras_serializable(package="someone")
class Doubled(layers.Layer):
    def call(self, inputs):
        return 2 * inputs


def test_packages_that_may_stay():
    classifier = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            Doubled(),
            layers.Flatten(),
            layers.Dense(3),
        ]
    )
    package = Doubled.__module__.partition(".")[0]
    with pytest.raises(ValueError, match=f"{package}': .'Doubled'"):
        kfl.models.standalone(classifier, NAMES, value_range=(0, 1))
    model = kfl.models.standalone(
        classifier, NAMES, value_range=(0, 1), packages=[package]
    )
    assert Doubled in map(type, model.get_layer("classifier").layers)


def test_the_noise_of_a_model_tells_the_value_range():
    noise = kfl.layers.RandAugment(value_range=(-1, 1))
    model = kfl.models.NoisyStudentModel(randomized(augmented()), noise=noise)
    told = kfl.models.standalone(model, NAMES)
    given = kfl.models.standalone(model, NAMES, value_range=(-1, 1))
    np.testing.assert_array_equal(
        told.predict(PHOTOS, verbose=0), given.predict(PHOTOS, verbose=0)
    )
    with pytest.raises(ValueError, match=r"black and white.*=None"):
        kfl.models.standalone(model.student, NAMES)
    model.weak_noise = kfl.layers.RandAugment()
    with pytest.raises(ValueError, match=r"black and white.*=None"):
        kfl.models.standalone(model, NAMES)


def test_the_loss_of_a_model_tells_whether_it_gives_logits():
    classifier = residual()
    classifier.compile(
        loss=keras.losses.CategoricalCrossentropy(from_logits=True)
    )
    told = kfl.models.standalone(classifier, NAMES, value_range=(0, 1))
    assert "softmax" in [layer.name for layer in told.layers]


@pytest.mark.filterwarnings("ignore:.*inputs. as a dict")
@pytest.mark.parametrize("is_dict", [True, False])
def test_the_one_input_may_be_in_a_dict_or_a_list(is_dict):
    images = keras.Input((4, 4, 1), name="pixels")
    scores = layers.Dense(2, activation="softmax")(layers.Flatten()(images))
    plain = keras.Model(images, scores)
    nested = {"img": images} if is_dict else [images]
    model = kfl.models.standalone(
        keras.Model(nested, scores), ["cat", "dog"], value_range=(0, 255)
    )
    photos = RNG.integers(0, 256, (2, 4, 4, 1)).astype("float32")
    np.testing.assert_allclose(
        model.predict(photos, verbose=0),
        plain.predict(photos, verbose=0),
        atol=1e-6,
    )
    assert kfl.models.class_names_of(model) == ["cat", "dog"]
