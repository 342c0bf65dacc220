import json

import keras
import numpy as np
import pytest

from keras_fewlabels.loops.noisy_student.settings import SETTINGS, with_defaults
from keras_fewlabels.loops.recommend import recommend

RNG = np.random.default_rng(0)
COLOUR = RNG.random((200, 8, 9, 3), "float32")
LABELS = np.arange(20) % 2


def build(channels=3, loss=None, activation=None):
    model = keras.Sequential(
        [
            keras.Input((8, 9, channels)),
            keras.layers.Flatten(),
            keras.layers.Dense(2, activation=activation),
        ]
    )
    if loss is not None:
        model.compile("sgd", loss)
    return model


def build_residual():
    inputs = keras.Input((8, 9, 3))
    branch = keras.layers.Conv2D(3, 3, padding="same")(inputs)
    outputs = keras.layers.Flatten()(keras.layers.Add()([inputs, branch]))
    return keras.Model(inputs, keras.layers.Dense(2)(outputs))


def settings_of(images=COLOUR, build_student=None, labels=LABELS, **arguments):
    if build_student is None:
        build_student = lambda: build(images.shape[-1])  # noqa: E731
    num_labeled = len(labels)
    labeled = images[:num_labeled], labels
    return recommend(build_student, labeled, images[num_labeled:], **arguments)


def as_uint8(images):
    return (255 * images).astype("uint8")


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"images": COLOUR[..., :1]},
        {"images": as_uint8(COLOUR)},
        {"images": 255 * COLOUR},
        {"images": 2 * COLOUR - 1},
        {"images": 3 * COLOUR, "value_range": (0, 3)},
        {"labels": np.eye(2)[LABELS]},
        {"build_student": build},
        {"build_student": build(activation="softmax")},
        {"build_student": build_residual},
        {
            "build_student": lambda: build(
                loss="sparse_categorical_crossentropy", activation="softmax"
            )
        },
        {"validation_data": (COLOUR[:2], np.arange(2))},
    ],
)
def test_every_setting_is_possible_plain_and_has_its_reason(arguments):
    settings = settings_of(**arguments)
    why = settings.pop("why")
    assert settings.keys() == SETTINGS.keys() == why.keys()
    assert all(isinstance(reason, str) and reason for reason in why.values())
    # What is recommended may be given back, or be kept in a file.
    same = with_defaults(
        json.loads(json.dumps(settings)), {**settings, "why": why}
    )
    assert same == {**settings, "why": why}
    plain = {bool, int, float, str, list, type(None)}
    assert {type(value) for value in settings.values()} <= plain


@pytest.mark.parametrize(
    "counts, share",
    [((10, 10), 0.2), ((2, 2), 0.5), ((100, 100), 0.1), ((4, 2), 1 / 3)],
)
def test_validation_has_an_image_of_each_class_at_least(counts, share):
    labels = np.repeat([0, 1], counts)
    images = np.resize(COLOUR, (len(labels) + 150, 8, 9, 3))
    settings = settings_of(images, labels=labels)
    assert settings["validation_share"] == pytest.approx(share)
    assert type(settings["validation_share"]) is float
    assert share * len(labels) >= 2 - 1e-9


def test_nothing_is_set_aside_where_validation_data_are_given():
    settings = settings_of(validation_data=(COLOUR[:2], np.arange(2)))
    assert settings["validation_share"] == 0.0
    assert settings["why"]["validation_share"] == "validation data are given"


def test_few_validation_images_are_learned_by_the_students():
    many = np.resize(COLOUR, (350, 8, 9, 3))
    for num_labeled, refit in ((90, True), (100, False)):
        settings = settings_of(many, labels=np.arange(num_labeled) % 2)
        # A fifth of them are set aside: 9 or 10 of each class.
        assert settings["refit"] is refit
        assert f"{num_labeled // 5} validation" in settings["why"]["refit"]
    given = settings_of(validation_data=(COLOUR[:2], np.arange(2)))
    assert given["refit"] is False


def test_a_compiled_model_keeps_what_it_is_compiled_with():
    compiled = build(activation="softmax", loss="categorical_crossentropy")
    why = settings_of(build_student=compiled)["why"]
    assert "its own optimizer" in why["learning_rate"]
    assert "its own loss" in why["label_smoothing"]
    assert "AdamW" in settings_of()["why"]["learning_rate"]


@pytest.mark.parametrize(
    "num_labeled, num_unlabeled",
    [(2, 1), (20, 180), (200, 5000), (2000, 2000), (5000, 100_000)],
)
def test_lengths_follow_the_number_of_images(num_labeled, num_unlabeled):
    from keras_fewlabels.loops.recommend import _lengths

    lengths = {
        name: value
        for name, (value, _) in _lengths(num_labeled, num_unlabeled).items()
    }
    batch_size = lengths["batch_size"]
    assert batch_size == (32 if num_labeled < 1000 else 64)
    passes = lengths["supervised_steps"] * batch_size / num_labeled
    assert passes == pytest.approx(100, rel=0.05) or lengths[
        "supervised_steps"
    ] in (1000, 10_000)
    per_step = batch_size * lengths["unlabeled_ratio"]
    passes = lengths["student_steps"] * per_step / num_unlabeled
    assert passes == pytest.approx(80, rel=0.05) or lengths[
        "student_steps"
    ] in (2000, 20_000)
    assert (
        1
        <= lengths["unlabeled_ratio"]
        <= max(1, 1.5 * num_unlabeled / num_labeled)
    )
    assert 50 <= lengths["steps_per_epoch"] <= lengths["supervised_steps"]


@pytest.mark.parametrize(
    "arguments, expected",
    [
        ({"build_student": "net"}, "must be a function"),
        ({"build_student": lambda: None}, "must return a built Keras model"),
        ({"labels": LABELS + 1}, "must hold class numbers from 0 to 1"),
        ({"images": 300 * COLOUR}, "cannot be seen from the images"),
        ({"value_range": (0, 255)}, r"looks scaled to \(0, 1\)"),
    ],
)
def test_what_does_not_go_together_is_refused(arguments, expected):
    with pytest.raises(ValueError, match=expected):
        settings_of(**arguments)


def test_a_model_that_was_trained_learns_in_small_steps():
    model = build()
    assert settings_of(build_student=lambda: model)["learning_rate"] == 2e-3
    model.set_weights([weight + 1 for weight in model.get_weights()])
    settings = settings_of(build_student=lambda: model)
    assert settings["learning_rate"] == 2e-4
    assert "trained before" in settings["why"]["learning_rate"]
