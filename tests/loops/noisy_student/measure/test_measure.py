import keras
import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from keras_fewlabels.data.folders import ImageFiles
from keras_fewlabels.loops.noisy_student.measure import (
    Labeler,
    PseudoLabels,
    measure_accuracy,
    measure_probabilities,
    predict,
)
from keras_fewlabels.policies import AdaMatchPolicy, FixedThreshold
from keras_fewlabels.policies.parts import ClassScores, Sigmoids

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(70, 2, 2, 1)).astype("float32")
LABELS = RNG.integers(0, 3, 70)
LOGITS = ClassScores(True)


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
    found = measure_accuracy(
        model, (IMAGES, labels), ClassScores(activation is None)
    )
    rows = expected_probabilities(model)
    hits = [
        row.argmax() == label for row, label in zip(rows, LABELS, strict=True)
    ]
    losses = [
        -np.log(row[label]) for row, label in zip(rows, LABELS, strict=True)
    ]
    recalls = [np.mean(np.array(hits)[number == LABELS]) for number in range(3)]
    assert found == {
        "accuracy": pytest.approx(np.mean(hits)),
        "balanced_accuracy": pytest.approx(np.mean(recalls)),
        "loss": pytest.approx(np.mean(losses), rel=1e-5),
        "num_images": 70,
    }


def test_there_may_be_nothing_to_measure():
    assert measure_accuracy(classifier(), None, LOGITS) is None


def test_loss_is_finite_where_the_truth_has_no_probability():
    model = classifier()
    model.set_weights([np.zeros((4, 3)), np.array([0.0, 500.0, 0.0])])
    found = measure_accuracy(model, (IMAGES, np.zeros(70, "int")), LOGITS)
    assert found["accuracy"] == 0
    assert found["loss"] == pytest.approx(-np.log(1e-7), rel=1e-5)


def test_predictions_are_probabilities_of_all_images():
    model = classifier()
    rows = predict(model, IMAGES[:9], LOGITS)
    np.testing.assert_allclose(
        rows, expected_probabilities(model)[:9], rtol=1e-5
    )


@pytest.mark.parametrize("threshold", [0.0, 0.6, 0.8])
def test_figures_equal_a_slow_loop(threshold):
    model = classifier()
    policy = FixedThreshold(threshold)
    policy.build((None, 3))
    labeler = Labeler(model, LOGITS, policy, IMAGES[:2])
    pseudo_labels = labeler([IMAGES[:32], IMAGES[32:]])
    figures = pseudo_labels.figures(LABELS)
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
    assert figures == {
        "mask_ratio": pytest.approx(len(counting) / 70),
        "confidence": pytest.approx(np.mean([row.max() for row in rows])),
        "class_shares": pytest.approx(shares),
        "accuracy": pytest.approx(np.mean([a == b for a, b in counting])),
    }
    assert pseudo_labels.figures() == {**figures, "accuracy": None}


def test_figures_count_each_image_with_its_weight():
    pseudo_labels = PseudoLabels(
        probabilities=np.array([[0.9, 0.1], [0.4, 0.6], [0.7, 0.3]]),
        targets=np.array([[1.0, 0.0], [0.25, 0.75], [0.0, 1.0]]),
        weights=np.array([1.0, 0.5, 0.0]),
    )
    assert pseudo_labels.figures(np.array([0, 0, 0])) == {
        "mask_ratio": pytest.approx(0.5),
        "confidence": pytest.approx(2.2 / 3),
        "class_shares": pytest.approx([1.125 / 1.5, 0.375 / 1.5]),
        "accuracy": pytest.approx(1 / 1.5),
    }


def test_figures_where_no_label_counts():
    model = classifier()
    model.set_weights([np.zeros((4, 3)), np.zeros(3)])
    labeler = Labeler(model, LOGITS, FixedThreshold(0.5), IMAGES[:2])
    figures = labeler([IMAGES]).figures(LABELS)
    assert figures["confidence"] == pytest.approx(1 / 3)
    assert figures["mask_ratio"] == 0
    assert figures["class_shares"] == [0, 0, 0]
    assert figures["accuracy"] is None


def test_a_policy_gets_the_probabilities_of_the_labelled_images():
    model = classifier()
    labeler = Labeler(model, LOGITS, AdaMatchPolicy(0.9), IMAGES[:20])
    rows = expected_probabilities(model).max(axis=1)
    expected = rows >= 0.9 * rows[:20].mean()
    assert 0 < expected.sum() < 70
    weights = labeler([IMAGES[:40], IMAGES[40:]]).weights
    np.testing.assert_array_equal(weights, expected)


def test_a_policy_gets_the_numbers_of_the_images():
    class Numbered(FixedThreshold):
        def call(
            self,
            probabilities,
            training=None,
            indices=None,
            labeled_probabilities=None,
        ):
            targets, _ = super().call(probabilities)
            return targets, keras.ops.cast(indices, "float32")

    labeler = Labeler(classifier(), LOGITS, Numbered(), IMAGES[:2])
    pieces = [IMAGES[:4], IMAGES[4:5]]
    np.testing.assert_array_equal(labeler(pieces).weights, np.arange(5))
    numbers = np.array([3, 7, 8, 20, 60])
    np.testing.assert_array_equal(labeler(pieces, numbers).weights, numbers)


def test_without_a_policy_there_are_predictions_alone():
    pseudo_labels = Labeler(classifier(), LOGITS, None, IMAGES[:2])([IMAGES])
    np.testing.assert_allclose(
        pseudo_labels.probabilities,
        expected_probabilities(classifier()),
        rtol=1e-5,
    )
    assert pseudo_labels.targets is None and pseudo_labels.weights is None
    assert pseudo_labels.figures(LABELS) is None


class OnDisk(ImageFiles):
    def __array__(self, dtype=None, copy=None):
        raise AssertionError("all files were read")


def test_files_are_scored_in_batches_like_the_array(tmp_path):
    levels = RNG.integers(0, 256, (11, 2, 2, 1), "uint8")
    paths = [tmp_path / f"{number}.png" for number in range(11)]
    for path, image in zip(paths, levels, strict=True):
        keras.utils.save_img(path, image, scale=False)
    # More than a batch.
    files, labels = OnDisk(paths * 30, 2, "grayscale"), np.resize(LABELS, 330)
    model = classifier()
    expected = measure_accuracy(
        model, (np.tile(levels, (30, 1, 1, 1)), labels), LOGITS
    )
    assert measure_accuracy(model, (files, labels), LOGITS) == expected


@pytest.mark.parametrize("activation", [None, "sigmoid"])
def test_decisions_on_several_labels_equal_a_slow_loop(activation):
    model = classifier(activation)
    truth = RNG.integers(0, 2, (70, 3))
    scores = Sigmoids(activation is None)
    found = measure_accuracy(model, (IMAGES, truth.astype("float32")), scores)
    kernel, bias = model.get_weights()
    logits = IMAGES.reshape(70, 4).astype("float64") @ kernel + bias
    shares, losses = [], []
    for row, labels in zip(1 / (1 + np.exp(-logits)), truth, strict=True):
        hits = [
            (p > 0.5) == label for p, label in zip(row, labels, strict=True)
        ]
        shares.append(sum(hits) / 3)
        losses += [
            -np.log(p if label else 1 - p)
            for p, label in zip(row, labels, strict=True)
        ]
    precision = average_precision_score(truth, logits, average="macro")
    assert found == {
        "accuracy": pytest.approx(np.mean(shares)),
        "deviation": pytest.approx(np.std(shares)),
        "mean_average_precision": pytest.approx(precision),
        "loss": pytest.approx(np.mean(losses), rel=1e-5),
        "num_images": 70,
    }
    probabilities = 1 / (1 + np.exp(-logits))
    again = measure_probabilities(probabilities, truth, scores)
    assert again == pytest.approx(found, rel=1e-5)


def test_a_policy_judges_each_of_several_labels():
    labeler = Labeler(
        classifier(), Sigmoids(True), FixedThreshold(0.7), IMAGES[:2]
    )
    pseudo_labels = labeler([IMAGES[:40], IMAGES[40:]])
    p = pseudo_labels.probabilities
    counts = np.maximum(p, 1 - p) >= 0.7
    assert 0.1 < counts.mean() < 0.9
    np.testing.assert_array_equal(pseudo_labels.weights, counts)
    np.testing.assert_array_equal(pseudo_labels.targets, p > 0.5)
    truth = RNG.integers(0, 2, (70, 3))
    yes = (counts & (p > 0.5)).sum(axis=0)
    assert pseudo_labels.figures(truth) == {
        "mask_ratio": pytest.approx(counts.mean()),
        "confidence": pytest.approx(np.maximum(p, 1 - p).mean()),
        "class_shares": pytest.approx(yes / yes.sum()),
        "accuracy": pytest.approx(((p > 0.5) == truth)[counts].mean()),
    }
