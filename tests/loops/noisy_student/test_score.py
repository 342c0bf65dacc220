import types

import keras
import numpy as np
import pytest

from keras_fewlabels.data.folders import ImageFiles
from keras_fewlabels.loops.noisy_student.score import (
    predict,
    pseudo_label_facts,
    score,
)

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(70, 2, 2, 1)).astype("float32")
LABELS = RNG.integers(0, 3, 70)


def classifier(activation=None):
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((2, 2, 1)),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(3, activation=activation),
        ]
    )


def expected_probabilities(model):
    kernel, bias = model.get_weights()
    rows = []
    for image in IMAGES:
        powers = np.exp(image.reshape(-1).astype("float64") @ kernel + bias)
        rows.append(powers / powers.sum())
    return np.array(rows)


@pytest.mark.parametrize("activation", [None, "softmax"])
@pytest.mark.parametrize("labels", [LABELS, np.eye(3)[LABELS]], ids=str)
def test_score_equals_a_slow_loop(activation, labels):
    model = classifier(activation)
    found = score(model, (IMAGES, labels), activation is None, batch_size=32)
    rows = expected_probabilities(model)
    hits = [
        row.argmax() == label for row, label in zip(rows, LABELS, strict=True)
    ]
    losses = [
        -np.log(row[label]) for row, label in zip(rows, LABELS, strict=True)
    ]
    assert found == {
        "accuracy": pytest.approx(np.mean(hits)),
        "loss": pytest.approx(np.mean(losses), rel=1e-5),
        "num_images": 70,
    }


def test_there_may_be_nothing_to_measure():
    assert score(classifier(), None, True) is None


def test_loss_is_finite_where_the_truth_has_no_probability():
    model = classifier()
    model.set_weights([np.zeros((4, 3)), np.array([0.0, 500.0, 0.0])])
    found = score(model, (IMAGES, np.zeros(70, "int")), True)
    assert found["accuracy"] == 0
    assert found["loss"] == pytest.approx(-np.log(1e-7), rel=1e-5)


@pytest.mark.parametrize("batch_size", [1, 7, 256])
def test_predictions_are_probabilities_of_all_images(batch_size):
    model = classifier()
    rows = predict(model, IMAGES[:9], True, batch_size)
    np.testing.assert_allclose(
        rows, expected_probabilities(model)[:9], rtol=1e-5
    )


TASK = types.SimpleNamespace(from_logits=True, num_classes=3)


@pytest.mark.parametrize("threshold", [0.0, 0.6, 0.8])
def test_facts_equal_a_slow_loop(threshold):
    model = classifier()
    found = pseudo_label_facts(model, IMAGES, TASK, threshold, LABELS)
    rows = expected_probabilities(model)
    counting = [
        (row.argmax(), label)
        for row, label in zip(rows, LABELS, strict=True)
        if row.max() >= threshold
    ]
    assert counting and (threshold == 0 or len(counting) < 70)
    shares = [
        sum(guess == number for guess, _ in counting) / len(counting)
        for number in range(3)
    ]
    assert found == {
        "mask_ratio": pytest.approx(len(counting) / 70),
        "confidence": pytest.approx(np.mean([row.max() for row in rows])),
        "class_shares": pytest.approx(shares),
        "accuracy": pytest.approx(np.mean([a == b for a, b in counting])),
    }
    unknown = pseudo_label_facts(model, IMAGES, TASK, threshold)
    assert unknown == {**found, "accuracy": None}


def test_facts_where_no_label_counts():
    model = classifier()
    model.set_weights([np.zeros((4, 3)), np.zeros(3)])
    found = pseudo_label_facts(model, IMAGES, TASK, 0.5, LABELS)
    assert found["confidence"] == pytest.approx(1 / 3)
    assert found["mask_ratio"] == 0
    assert found["class_shares"] == [0, 0, 0]
    assert found["accuracy"] is None


class OnDisk(ImageFiles):
    def __array__(self, dtype=None, copy=None):
        raise AssertionError("all files were read")


def test_files_are_scored_in_batches_like_the_array(tmp_path):
    levels = RNG.integers(0, 256, (11, 2, 2, 1), "uint8")
    paths = [tmp_path / f"{number}.png" for number in range(11)]
    for path, image in zip(paths, levels, strict=True):
        keras.utils.save_img(path, image, scale=False)
    files = OnDisk(paths, 2, "grayscale")
    model = classifier()
    assert score(model, (files, LABELS[:11]), True, batch_size=4) == score(
        model, (levels, LABELS[:11]), True, batch_size=4
    )
