import numpy as np
import pytest
from sklearn.datasets import load_digits

from keras_fewlabels.evaluation.frozen_features import self_training as module
from keras_fewlabels.evaluation.frozen_features.head_kinds import SIGMOIDS
from keras_fewlabels.evaluation.frozen_features.linear_head import fit_logistic
from keras_fewlabels.evaluation.frozen_features.self_training import (
    FeatureClassifier,
)
from keras_fewlabels.evaluation.mean_average_precision import (
    mean_average_precision,
)

X, Y = load_digits(return_X_y=True)


def digits(per_class, seed=0):
    """Features with the labelled ones first, the labels and their number."""
    order = np.random.default_rng(seed).permutation(len(X))[:900]
    first = [order[Y[order] == number][:per_class] for number in range(10)]
    labeled = np.concatenate(first)
    order = np.concatenate([labeled, np.setdiff1d(order, labeled)])
    return X[order], Y[order], len(labeled)


def accuracy(head, features, labels):
    return (head.probabilities(features).argmax(axis=1) == labels).mean()


def test_unlabelled_features_help():
    gains = []
    for seed in range(3):
        features, labels, count = digits(4, seed)
        classifier = FeatureClassifier(features, np.eye(10)[labels[:count]])
        rest = features[count:], labels[count:]
        gains.append(
            accuracy(classifier.self_train(), *rest)
            - accuracy(classifier.probe(), *rest)
        )
    assert np.mean(gains) > 0.03


def test_a_start_of_its_own_changes_little():
    features, labels, count = digits(10)
    classifier = FeatureClassifier(features, np.eye(10)[labels[:count]])
    again = classifier.self_train(classifier.self_train())
    assert accuracy(again, features, labels) > 0.9


def test_cross_validation_is_near_the_accuracy_on_other_images():
    features, labels, count = digits(20)
    classifier = FeatureClassifier(features, np.eye(10)[labels[:count]])
    for self_trained in (False, True):
        right = classifier.cross_validate(self_trained)
        head = classifier.self_train() if self_trained else classifier.probe()
        others = accuracy(head, features[count:], labels[count:])
        assert right.shape == (count,)
        assert abs(right.mean() - others) < 0.06
        probabilities = classifier.hidden_probabilities(self_trained)
        np.testing.assert_array_equal(
            probabilities.argmax(axis=1) == labels[:count], right
        )
        # Calibrated: about as many are right as they are sure of.
        assert abs(probabilities.max(axis=1).mean() - right.mean()) < 0.06


@pytest.mark.parametrize("self_trained", [False, True])
def test_the_temperature_calibrates_heads_on_other_images(self_trained):
    features, labels, count = digits(20)
    classifier = FeatureClassifier(features, np.eye(10)[labels[:count]])
    head = classifier.self_train() if self_trained else classifier.probe()
    rest = features[count:], labels[count:]
    cooled = head.cooled(classifier.temperature(self_trained))
    assert accuracy(cooled, *rest) == accuracy(head, *rest)
    before, after = (
        each.probabilities(rest[0]).max(axis=1).mean() - accuracy(head, *rest)
        for each in (head, cooled)
    )
    assert abs(after) < abs(before) and abs(after) < 0.04


def test_heads_of_a_cross_validation_are_fitted_once(monkeypatch):
    num_images = []

    def counted(inputs, *arguments, **keywords):
        num_images.append(len(inputs))
        return fit_logistic(inputs, *arguments, **keywords)

    monkeypatch.setattr(module, "fit_logistic", counted)
    features, labels, count = digits(5)
    classifier = FeatureClassifier(features, np.eye(10)[labels[:count]])
    probe = classifier.cross_validate(False)
    assert num_images == 5 * [40]
    np.testing.assert_array_equal(classifier.cross_validate(False), probe)
    classifier.temperature(False)
    assert len(num_images) == 5
    # The probes are where self-training starts.
    classifier.cross_validate(True)
    assert set(num_images[5:]) == {900}
    classifier.cross_validate(False, seed=1)
    assert num_images[-5:] == 5 * [40]


def test_labels_of_noise_are_not_foretold():
    features, _, count = digits(20)
    labels = np.random.default_rng(0).integers(0, 10, count)
    classifier = FeatureClassifier(features, np.eye(10)[labels])
    for self_trained in (False, True):
        assert classifier.cross_validate(self_trained).mean() < 0.25


def test_no_cross_validation_of_a_single_image():
    features, labels, count = digits(1)
    classifier = FeatureClassifier(features, np.eye(10)[labels[:count]])
    assert classifier.cross_validate(False) is None
    assert classifier.hidden_probabilities(False) is None
    assert classifier.temperature(False) is None
    assert accuracy(classifier.self_train(), features, labels) > 0.3


def test_without_unlabelled_images():
    features, labels, count = digits(5)
    classifier = FeatureClassifier(features[:count], np.eye(10)[labels[:count]])
    assert accuracy(classifier.self_train(), features, labels) > 0.7


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_dtypes(dtype):
    features, labels, count = digits(5)
    classifier = FeatureClassifier(
        features.astype(dtype), np.eye(10)[labels[:count]]
    )
    assert accuracy(classifier.self_train(), features, labels) > 0.7


def test_rare_classes_count_as_much_as_frequent_ones():
    features, labels, count = digits(12)
    few = np.r_[np.arange(0, 5 * 12), np.arange(5 * 12, 10 * 12, 6)]
    rest = np.arange(count, len(labels))
    rows = features[np.r_[few, rest]]
    found = []
    for balanced in (False, True):
        classifier = FeatureClassifier(rows, np.eye(10)[labels[few]], balanced)
        for head in (classifier.probe(), classifier.self_train()):
            predicted = head.probabilities(features[rest]).argmax(axis=1)
            right = predicted == labels[rest]
            found.append(
                np.mean([right[labels[rest] == c].mean() for c in range(10)])
            )
        # In each fold, every class has a label that is not hidden.
        assert np.isfinite(classifier.hidden_logits(True)).all()
    probe, self_trained, balanced_probe, balanced_self_trained = found
    assert balanced_probe > probe + 0.03
    assert balanced_self_trained > self_trained + 0.03


def test_balanced_heads_of_even_labels_are_the_same_probe():
    features, labels, count = digits(4)
    targets = np.eye(10)[labels[:count]]
    plain, balanced = (
        FeatureClassifier(features, targets, balanced).probe()
        for balanced in (False, True)
    )
    np.testing.assert_allclose(plain.kernel, balanced.kernel, atol=1e-4)
    assert np.ptp(plain.bias - balanced.bias) < 1e-4


def test_a_balanced_classifier_without_unlabelled_images():
    features, labels, count = digits(4)
    classifier = FeatureClassifier(
        features[:count], np.eye(10)[labels[:count]], True
    )
    assert accuracy(classifier.self_train(), features, labels) > 0.6


def two_patterns(num_labeled, seed=0):
    """Pictures of two out of four patterns under noise, and their labels."""
    random = np.random.default_rng(seed)
    patterns = random.normal(size=(4, 64))
    count = num_labeled + 400
    truth = random.permuted(np.tile([1.0, 1, 0, 0], (count, 1)), axis=1)
    noise = random.normal(0, 2.5, (count, 64))
    return truth @ patterns + noise, truth


def test_unlabelled_pictures_of_several_labels_help():
    gains = []
    for seed in range(3):
        features, truth = two_patterns(20, seed)
        classifier = FeatureClassifier(features, truth[:20], kind=SIGMOIDS)
        figures = []
        for head in (classifier.probe(), classifier.self_train()):
            found = head.probabilities(features[20:])
            right = np.mean((found > 0.5) == truth[20:])
            precision = mean_average_precision(found, truth[20:])
            figures.append([precision, right])
        gains.append(np.subtract(figures[1], figures[0]))
        # As frequent as the probe says, though "no" grows in each round.
        np.testing.assert_allclose(
            *(
                head.probabilities(features).mean(axis=0)
                for head in (classifier.probe(), classifier.self_train())
            ),
            atol=0.01,
        )
    precision, right = np.mean(gains, axis=0)
    assert precision > 0.01 and right > 0.02


@pytest.mark.parametrize("self_trained", [False, True])
def test_cross_validation_of_several_labels(self_trained):
    features, truth = two_patterns(60)
    classifier = FeatureClassifier(features, truth[:60], kind=SIGMOIDS)
    right = classifier.cross_validate(self_trained)
    assert right.shape == (60, 4)
    head = classifier.self_train() if self_trained else classifier.probe()
    others = (head.probabilities(features[60:]) > 0.5) == truth[60:]
    assert abs(right.mean() - others.mean()) < 0.08
    probabilities = classifier.hidden_probabilities(self_trained)
    np.testing.assert_array_equal((probabilities > 0.5) == truth[:60], right)
    sure = np.maximum(probabilities, 1 - probabilities)
    assert abs(sure.mean() - right.mean()) < 0.08


def test_a_label_of_a_single_image_is_hidden_too():
    features, truth = two_patterns(20)
    truth = np.hstack([truth, np.zeros((len(truth), 1)), np.ones((420, 1))])
    truth[7, 4] = 1
    classifier = FeatureClassifier(features, truth[:20], kind=SIGMOIDS)
    for self_trained in (False, True):
        hidden = classifier.hidden_logits(self_trained)
        # Of 16 other images, none has the first, and all have the second.
        expected = np.log([0.5 / 16.5, 16.5 / 0.5])
        np.testing.assert_allclose(hidden[7, 4:], expected, rtol=1e-5)
    head = classifier.self_train()
    assert np.isfinite(head.kernel).all()
    assert (head.probabilities(features)[:, 5] > 0.9).all()
