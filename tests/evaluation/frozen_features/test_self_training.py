import numpy as np
import pytest
from sklearn.datasets import load_digits

from keras_fewlabels.evaluation.frozen_features import self_training as module
from keras_fewlabels.evaluation.frozen_features.linear_head import fit_softmax
from keras_fewlabels.evaluation.frozen_features.self_training import (
    FeatureClassifier,
    sharpened,
    with_pseudo_labels,
)
from keras_fewlabels.policies.parts import ClassScores

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
        return fit_softmax(inputs, *arguments, **keywords)

    monkeypatch.setattr(module, "fit_softmax", counted)
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


def test_sharpened():
    np.testing.assert_allclose(
        sharpened(np.array([[0.75, 0.25]])), [[0.9, 0.1]]
    )


@pytest.mark.parametrize("sparse", [True, False])
def test_pseudo_labels_have_the_form_of_labels(sparse):
    labels = Y[:100] if sparse else np.eye(10, dtype="float32")[Y[:100]]
    features, joined, weights = with_pseudo_labels(
        (X[:100], labels, None), X[100:600], 10, ClassScores(False, sparse)
    )
    np.testing.assert_array_equal(features, X[:600])
    np.testing.assert_array_equal(joined[:100], labels)
    assert joined.dtype == labels.dtype and joined.shape[1:] == labels.shape[1:]
    found = joined if sparse else joined.argmax(axis=1)
    assert (found[100:] == Y[100:600]).mean() > 0.85
    np.testing.assert_allclose(weights, np.r_[np.ones(100), np.full(500, 0.2)])


def test_one_hot_labels_of_whole_numbers_become_floats():
    one_hot = np.eye(10, dtype="int64")[Y[:100]]
    _, joined, _ = with_pseudo_labels(
        (X[:100], one_hot, None), X[100:200], 10, ClassScores(False)
    )
    assert joined.dtype == "float32"
    np.testing.assert_array_equal(joined[:100], one_hot)
    np.testing.assert_allclose(joined[100:].sum(axis=1), 1, rtol=1e-5)


def test_the_users_weights_stay():
    given = np.linspace(1, 2, 100)
    *_, weights = with_pseudo_labels(
        (X[:100], Y[:100], given), X[100:110], 10, ClassScores(False, True)
    )
    np.testing.assert_array_equal(weights[:100], given)
    np.testing.assert_allclose(weights[100:], 0.2)


def test_maps_of_features_are_averaged_to_find_labels():
    maps = X.reshape(-1, 8, 8, 1) * np.ones(3)
    features, labels, _ = with_pseudo_labels(
        (maps[:50], Y[:50] % 2, None), maps[50:60], 2, ClassScores(False, True)
    )
    assert features.shape == (60, 8, 8, 3) and labels.shape == (60,)


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
