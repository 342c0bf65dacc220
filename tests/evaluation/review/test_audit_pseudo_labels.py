import keras
import numpy as np
import pytest
from keras import layers

from keras_fewlabels.callbacks import PseudoLabeler
from keras_fewlabels.evaluation import audit_pseudo_labels
from keras_fewlabels.evaluation.review.audit_pseudo_labels import (
    label_flip_rate,
)
from keras_fewlabels.policies import FixedThreshold

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
    audit = audit_pseudo_labels(model, None, IMAGES, pseudo_labels=labels)
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
        model, (np.tile(IMAGES, (2, 1, 1, 1)), np.tile(swapped, 2)), IMAGES[:30]
    )
    outvoted = audit.indices[audit.is_outvoted]
    assert set(outvoted) == set(np.flatnonzero(TRUTH[:30] > 0))
    assert audit.confidence[:20].min() > 0.5


def test_images_without_a_label_are_not_audited(model):
    labels = np.where(np.arange(90) < 40, TRUTH, -1)
    audit = audit_pseudo_labels(
        model, None, IMAGES, pseudo_labels=labels, num_shown=7
    )
    assert sorted(audit.indices) == list(range(40))
    assert len(audit.images) == len(audit.rows) == 7
    np.testing.assert_array_equal(audit.images, IMAGES[audit.indices[:7]])


def test_label_that_flips_is_doubtful(model):
    first = TRUTH.copy()
    first[5] = (first[5] + 1) % 3
    audit = audit_pseudo_labels(model, None, IMAGES, history=[first, TRUTH])
    assert audit.indices[0] == 5
    assert audit.flip_rate.tolist() == [1.0] + [0.0] * 89


def test_labels_and_history_of_a_pseudo_labeler(model):
    model.compile("sgd", "sparse_categorical_crossentropy")
    labeler = PseudoLabeler(IMAGES[9:], every=1, start=0)
    dataset = labeler.mixed_with((IMAGES[:9], TRUTH[:9]))
    model.fit(dataset, epochs=2, callbacks=[labeler], verbose=0)
    kept = labeler.labels >= 0
    assert 0 < kept.sum() < 81
    audit = audit_pseudo_labels(model, None, IMAGES[9:], history=labeler)
    assert set(audit.indices) == set(np.flatnonzero(kept))
    np.testing.assert_array_equal(audit.labels, labeler.labels[audit.indices])


def test_veto_is_obeyed_by_the_next_run(model, tmp_path):
    labels = TRUTH.copy()
    labels[50] = (labels[50] + 1) % 3
    audit = audit_pseudo_labels(model, None, IMAGES, pseudo_labels=labels)
    audit.save(tmp_path, value_range=(-3, 9))
    file = tmp_path / "veto.csv"
    # Somebody agrees with the suggestions.
    file.write_text(file.read_text().replace(",,yes,", ",yes,yes,"))
    labeler = PseudoLabeler(IMAGES, model, veto=file)
    assert labeler.veto.tolist() == [50]


@pytest.mark.parametrize("labels, message", [
    (np.zeros(3, int), "a class per image"),
    (np.zeros(90), "a class per image"),
    (np.full(90, -1), "must hold one label or more"),
    (np.full(90, 3), "classes of the model, -1 to 2"),
])  # fmt: skip
def test_wrong_pseudo_labels(model, labels, message):
    with pytest.raises(ValueError, match=message):
        audit_pseudo_labels(model, None, IMAGES, pseudo_labels=labels)


def test_dataset_gives_the_audit_of_its_array(model):
    dataset = keras.utils.PyDataset
    audit = audit_pseudo_labels(model, (IMAGES[:9], TRUTH[:9]), IMAGES)

    class Images(dataset):
        def __len__(self):
            return 9

        def __getitem__(self, index):
            return IMAGES[10 * index : 10 * index + 10]

    same = audit_pseudo_labels(model, (IMAGES[:9], TRUTH[:9]), Images())
    np.testing.assert_array_equal(same.indices, audit.indices)
    np.testing.assert_allclose(same.scores, audit.scores, atol=1e-6)
    np.testing.assert_array_equal(same.images, audit.images)


def test_one_progress_bar_over_all_images(model, capsys):
    labeled = IMAGES[:9], TRUTH[:9]
    audit_pseudo_labels(model, labeled, IMAGES, batch_size=20)
    assert "6/6" in capsys.readouterr().out
    features = keras.Sequential([keras.Input((1, 1, 3)), layers.Flatten()])
    audit_pseudo_labels(
        model, labeled, IMAGES, feature_model=features, batch_size=20
    )
    assert "12/12" in capsys.readouterr().out
    audit_pseudo_labels(model, labeled, IMAGES, verbose=0)
    assert capsys.readouterr().out == ""


# Four heaps, by whether each of two labels is true.
PAIRS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])[np.arange(96) % 4]
POINTS = (8 * PAIRS - 4 + RNG.normal(0, 0.3, (96, 2))).reshape(96, 1, 1, 2)
POINTS = POINTS.astype("float32")


@pytest.fixture
def several():
    """A model of two labels, each of which is one value of an image."""
    return keras.Sequential(
        [
            keras.Input((1, 1, 2)),
            layers.Flatten(),
            layers.Dense(2, "sigmoid", kernel_initializer="identity"),
        ]
    )


def test_each_of_several_labels_is_audited(several):
    labels = PAIRS.copy()
    labels[4, 0], labels[31, 1] = 1 - labels[4, 0], 1 - labels[31, 1]
    # Labels that are not known are left out, and so are images without any.
    labels[10, 0], labels[11] = -1, -1
    audit = audit_pseudo_labels(
        *(several, None, POINTS),
        pseudo_labels=labels,
        class_names=["cat", "dog"],
        verbose=0,
    )
    assert set(audit.indices[:2]) == {4, 31}
    assert set(audit.indices) == set(range(96)) - {11}
    assert audit.is_outvoted.tolist() == [True] * 2 + [False] * 93
    said = dict(zip(audit.indices, audit.labels, strict=True))
    assert said[4] == labels[4, 0] and said[31] == 2 + labels[31, 1]
    assert said[10] == 2 + labels[10, 1]
    voted = dict(zip(audit.indices, audit.neighbor_labels, strict=True))
    assert voted[4] == PAIRS[4, 0] and voted[31] == 2 + PAIRS[31, 1]
    assert audit.confidence[:2].max() < 0.1 < 0.9 < audit.confidence[2:].min()
    assert audit.class_names == ["not cat", "cat", "not dog", "dog"]
    assert "outvoted by their neighbours" in str(audit)


def test_labels_and_history_of_several_labels(several):
    several.compile("sgd", "binary_crossentropy")
    labeler = PseudoLabeler(POINTS[12:], every=1, start=0)
    labeled = POINTS[:12], PAIRS[:12].astype("float32")
    dataset = labeler.mixed_with(labeled)
    several.fit(dataset, epochs=2, callbacks=[labeler], verbose=0)
    has_label = (labeler.labels >= 0).any(axis=1)
    assert has_label.any()
    audit = audit_pseudo_labels(
        several, labeled, POINTS[12:], history=labeler, verbose=0
    )
    assert set(audit.indices) == set(np.flatnonzero(has_label))
    first = PAIRS.copy()
    first[5, 1] = 1 - first[5, 1]
    audit = audit_pseudo_labels(
        several, None, POINTS, history=[first, PAIRS], verbose=0
    )
    assert audit.indices[0] == 5
    assert audit.flip_rate.tolist() == [1.0] + [0.0] * 95


@pytest.mark.parametrize("labels", [np.zeros(96, int), 2 * PAIRS, 1.0 * PAIRS])
def test_wrong_pseudo_labels_of_several_labels(several, labels):
    with pytest.raises(ValueError, match="a column for each of the 2 labels"):
        audit_pseudo_labels(
            several, None, POINTS, pseudo_labels=labels, verbose=0
        )


ROUNDS = [
    np.array([0, 1, -1, 2, -1]),
    np.array([0, 2, 1, -1, -1]),
    np.array([0, 1, 1, 1, -1]),
]


def test_a_label_is_compared_to_the_last_one_there_was():
    assert label_flip_rate(ROUNDS, 5).tolist() == [0, 1, 0, 0.5, 0]


def test_nothing_flips_in_one_round_or_without_a_history():
    assert label_flip_rate(ROUNDS[:1], 5).tolist() == [0] * 5
    assert label_flip_rate(None, 3).tolist() == [0] * 3


def test_history_of_a_pseudo_labeler_is_that_of_its_rounds():
    class Turn(keras.callbacks.Callback):
        """Turns the classes of the model round after each epoch."""

        def on_epoch_end(self, epoch, logs=None):
            labels.append(labeler.labels.copy())
            kernel, bias = model.layers[-1].get_weights()
            model.layers[-1].set_weights([np.roll(kernel, 1, 1), bias])

    images = np.random.default_rng(0).random((60, 4, 4, 1), "float32")
    model = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    labels = []
    labeler = PseudoLabeler(images[9:], policy=FixedThreshold(0.4), start=0)
    dataset = labeler.mixed_with((images[:9], np.arange(9) % 3), seed=0)
    model.fit(dataset, epochs=5, callbacks=[labeler, Turn()], verbose=0)
    rates = label_flip_rate(labeler, 51)
    assert len(labeler.rounds) == 5
    assert rates.any()
    np.testing.assert_allclose(rates, label_flip_rate(labels, 51))


@pytest.mark.parametrize(
    "history",
    [[*ROUNDS, np.zeros(4, int)], [np.zeros(5)], [],
     PseudoLabeler(np.zeros((3, 4, 4, 1), "uint8"))],
)  # fmt: skip
def test_history_of_other_images(history):
    with pytest.raises(ValueError, match=r"each of shape \(5,\). Received"):
        label_flip_rate(history, 5)
