import json

import keras
import numpy as np
import pytest

from keras_fewlabels.loops import Settings, recommend
from keras_fewlabels.loops.noisy_student.phase_data import divide
from keras_fewlabels.loops.noisy_student.task import inspect_task

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
    assert settings.to_dict().keys() == settings.why.keys()
    assert all(
        isinstance(reason, str) and reason for reason in settings.why.values()
    )
    # Settings may be kept in a file.
    values = json.loads(json.dumps(settings.to_dict()))
    assert Settings.from_dict(values) == settings
    plain = {bool, int, float, str, list, type(None)}
    assert {type(value) for value in values.values()} <= plain


@pytest.mark.parametrize(
    "counts, share",
    [((10, 10), 0.2), ((2, 2), 0.5), ((100, 100), 0.1), ((4, 2), 1 / 3)],
)
def test_validation_has_an_image_of_each_class_at_least(counts, share):
    labels = np.repeat([0, 1], counts)
    images = np.resize(COLOUR, (len(labels) + 150, 8, 9, 3))
    settings = settings_of(images, labels=labels)
    assert settings.validation_split == pytest.approx(share)
    assert type(settings.validation_split) is float
    # The reason names the number of images, and a run sets them aside.
    num_validation = int(settings.why["validation_split"].split()[0])
    task = inspect_task(build(), (images[: len(labels)], labels), images)
    validation = divide(task, None, None, settings.validation_split, 0)
    counts = task.count_classes(validation.validation[1])
    assert counts.sum() == num_validation
    assert counts.min() >= 1


def test_nothing_is_set_aside_where_validation_data_are_given():
    settings = settings_of(validation_data=(COLOUR[:2], np.arange(2)))
    assert settings.validation_split == 0.0
    assert settings.why["validation_split"] == "validation data are given"


def test_few_validation_images_are_learned_by_the_students():
    many = np.resize(COLOUR, (350, 8, 9, 3))
    for num_labeled, learned in ((90, True), (100, False)):
        settings = settings_of(many, labels=np.arange(num_labeled) % 2)
        # A fifth of them are set aside: 9 or 10 of each class.
        assert settings.train_on_validation is learned
        reason = settings.why["train_on_validation"]
        assert f"{num_labeled // 5} validation" in reason
    given = settings_of(validation_data=(COLOUR[:2], np.arange(2)))
    assert given.train_on_validation is False


def test_a_compiled_model_keeps_what_it_is_compiled_with():
    compiled = build(activation="softmax", loss="categorical_crossentropy")
    why = settings_of(build_student=compiled).why
    assert "its own optimizer" in why["learning_rate"]
    assert "its own loss" in why["label_smoothing"]
    assert "AdamW" in settings_of().why["learning_rate"]


# By hand: batches of 32, or 64 from 1,000 labels on; 1 to 4 unlabelled images
# for each labelled one; 100 passes over the labelled images, 80 over the
# unlabelled ones, and a twentieth of the former for an epoch, within bounds.
@pytest.mark.parametrize(
    "num_labeled, num_unlabeled, expected",
    [
        (2, 1, (32, 1, 1000, 2000, 50)),
        (20, 180, (32, 4, 1000, 2000, 50)),
        (200, 5000, (32, 4, 1000, 3125, 50)),
        (800, 1200, (32, 2, 2500, 2000, 125)),
        (2000, 2000, (64, 1, 3125, 2500, 156)),
        (5000, 100_000, (64, 4, 7812, 20_000, 390)),
        (60_000, 100_000, (64, 2, 10_000, 20_000, 500)),
    ],
)
def test_lengths_follow_the_number_of_images(
    num_labeled, num_unlabeled, expected
):
    images = np.zeros((num_labeled + num_unlabeled, 1, 1, 1), "float32")
    model = keras.Sequential(
        [keras.Input((1, 1, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]
    )
    settings = settings_of(
        images, model, np.arange(num_labeled) % 2, value_range=(0, 1)
    )
    assert (
        settings.batch_size,
        settings.unlabeled_ratio,
        settings.supervised_steps,
        settings.student_steps,
        settings.steps_per_epoch,
    ) == expected


@pytest.mark.parametrize(
    "arguments, expected",
    [
        ({"build_student": "net"}, "must be a function"),
        ({"build_student": lambda: None}, "must return a built Keras model"),
        ({"labels": LABELS + 1}, "must hold class numbers from 0 to 1"),
        ({"images": 300 * COLOUR}, "do not tell what is black"),
        ({"value_range": (0, 255)}, r"looks scaled to \(0, 1\)"),
    ],
)
def test_what_does_not_go_together_is_refused(arguments, expected):
    with pytest.raises(ValueError, match=expected):
        settings_of(**arguments)


def test_a_model_that_was_trained_learns_in_small_steps():
    model = build()
    assert settings_of(build_student=lambda: model).learning_rate == 2e-3
    model.set_weights([weight + 1 for weight in model.get_weights()])
    settings = settings_of(build_student=lambda: model)
    assert settings.pretrained
    assert settings.learning_rate == 3e-4
    assert "photographs" in settings.why["learning_rate"]


@pytest.mark.parametrize(
    "counts, balanced", [((6, 6), False), ((6, 4), False), ((7, 4), True)]
)
def test_classes_count_alike_where_labels_are_uneven(counts, balanced):
    labels = np.repeat([0, 1], counts)
    settings = recommend(build(), (COLOUR[: len(labels)], labels), COLOUR)
    assert settings.balanced is balanced
    few, most = sorted(counts)
    assert f"{few} to {most} labels" in settings.why["balanced"]
    assert ("rare classes count more" in settings.why["balanced"]) is balanced
