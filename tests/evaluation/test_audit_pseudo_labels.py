import keras
import numpy as np
import pytest
from keras import layers

from keras_fewlabels.callbacks import PseudoLabeler
from keras_fewlabels.evaluation import audit_pseudo_labels

TRUTH = np.arange(90) % 3
RNG = np.random.default_rng(0)
# Three heaps of images, all of which the model tells apart.
IMAGES = (6 * np.eye(3)[TRUTH] + RNG.normal(size=(90, 3))).reshape(90, 1, 1, 3)
IMAGES = IMAGES.astype("float32")


@pytest.fixture
def model():
    return keras.Sequential(
        [
            keras.Input((1, 1, 3)),
            layers.Flatten(),
            layers.Dense(3, "softmax", kernel_initializer="identity"),
        ]
    )


def test_wrong_labels_come_first(model):
    labels, wrong = TRUTH.copy(), np.array([4, 31, 77])
    labels[wrong] = (labels[wrong] + 1) % 3
    audit = audit_pseudo_labels(model, IMAGES, pseudo_labels=labels)
    assert set(audit.indices[:3]) == set(wrong)
    assert audit.is_outvoted.tolist() == [True] * 3 + [False] * 87
    np.testing.assert_array_equal(audit.neighbor_labels[:3],
                                  TRUTH[audit.indices[:3]])  # fmt: skip
    assert sorted(audit.indices) == list(range(90))
    assert (np.diff(audit.scores) <= 0).all()
    np.testing.assert_array_equal(audit.labels, labels[audit.indices])
    probabilities = model.predict(IMAGES, verbose=0)
    np.testing.assert_allclose(
        audit.confidence, probabilities[audit.indices, audit.labels], rtol=1e-5
    )


def test_confident_model_is_outvoted_by_labeled_neighbors(model):
    # The model is sure of class 1; labelled images say it is class 2.
    swapped = np.array([0, 2, 1])[TRUTH]
    audit = audit_pseudo_labels(
        model, IMAGES[:30], (np.tile(IMAGES, (2, 1, 1, 1)), np.tile(swapped, 2))
    )
    outvoted = audit.indices[audit.is_outvoted]
    assert set(outvoted) == set(np.flatnonzero(TRUTH[:30] > 0))
    assert audit.confidence[:20].min() > 0.5


def test_images_without_a_label_are_not_audited(model):
    labels = np.where(np.arange(90) < 40, TRUTH, -1)
    audit = audit_pseudo_labels(
        model, IMAGES, pseudo_labels=labels, num_shown=7
    )
    assert sorted(audit.indices) == list(range(40))
    assert len(audit.images) == len(audit.rows) == 7
    np.testing.assert_array_equal(audit.images, IMAGES[audit.indices[:7]])


def test_label_that_flips_is_doubtful(model):
    first = TRUTH.copy()
    first[5] = (first[5] + 1) % 3
    audit = audit_pseudo_labels(model, IMAGES, history=[first, TRUTH])
    assert audit.indices[0] == 5
    assert audit.flip_rate.tolist() == [1.0] + [0.0] * 89


def test_labels_and_history_of_a_pseudo_labeler(model):
    model.compile("sgd", "sparse_categorical_crossentropy")
    labeler = PseudoLabeler(IMAGES[9:], every=1, start=0)
    dataset = labeler.mixed_with((IMAGES[:9], TRUTH[:9]))
    model.fit(dataset, epochs=2, callbacks=[labeler], verbose=0)
    kept = labeler.labels >= 0
    assert 0 < kept.sum() < 81
    audit = audit_pseudo_labels(model, IMAGES[9:], history=labeler)
    assert set(audit.indices) == set(np.flatnonzero(kept))
    np.testing.assert_array_equal(audit.labels, labeler.labels[audit.indices])


def test_veto_is_obeyed_by_the_next_run(model, tmp_path):
    labels = TRUTH.copy()
    labels[50] = (labels[50] + 1) % 3
    audit = audit_pseudo_labels(model, IMAGES, pseudo_labels=labels)
    audit.save(tmp_path, value_range=(-3, 9))
    labeler = PseudoLabeler(IMAGES, model, veto=tmp_path / "veto.csv")
    assert labeler.veto.tolist() == [50]


@pytest.mark.parametrize("labels, message", [
    (np.zeros(3, int), "a class per image"),
    (np.zeros(90), "a class per image"),
    (np.full(90, -1), "must be a pseudo-label"),
    (np.full(90, 3), "classes of the model, -1 to 2"),
])  # fmt: skip
def test_wrong_pseudo_labels(model, labels, message):
    with pytest.raises(ValueError, match=message):
        audit_pseudo_labels(model, IMAGES, pseudo_labels=labels)
