"""Pseudo-labels of models with a sigmoid for each of several labels."""

import keras
import numpy as np
import pytest

from keras_fewlabels.callbacks import PseudoLabeler
from keras_fewlabels.models import NoisyStudentModel
from keras_fewlabels.policies import FixedThreshold, FreeMatchPolicy

RANDOM = np.random.default_rng(0)
# Whether each of the first three rows of pixels is bright.
TRUTH = RANDOM.integers(0, 2, (60, 3)).astype("float32")
IMAGES = RANDOM.normal(0, 0.7, (60, 4, 4, 1)).astype("float32")
IMAGES[:, :3] += 2 * TRUTH[:, :, None, None] - 1
LABELED = IMAGES[:12], TRUTH[:12]
UNLABELED, HIDDEN = IMAGES[12:], TRUTH[12:]


def classifier(from_logits=True, by_label=False, seed=0, rate=0.5, loss=True):
    """A model of three labels; `by_label` gives each a loss of its own."""
    keras.utils.set_random_seed(seed)
    images = keras.Input((4, 4, 1))
    x = keras.layers.Flatten()(images)
    x = keras.layers.Dense(3, None if from_logits else "sigmoid")(x)
    if by_label:
        x = keras.layers.Reshape((3, 1))(x)
    model = keras.Model(images, x)
    if loss:
        loss = keras.losses.BinaryCrossentropy(from_logits)
        model.compile(keras.optimizers.SGD(rate), loss)
    return model


def probabilities(model, from_logits=True):
    outputs = model.predict(UNLABELED, verbose=0).astype("float64")
    return 1 / (1 + np.exp(-outputs)) if from_logits else outputs


def fit(labeler, model, labeled=LABELED, epochs=2, **options):
    data = labeler.mixed_with(labeled, 12, shuffle=False)
    return model.fit(
        data,
        epochs=epochs,
        shuffle=False,
        callbacks=[labeler],
        verbose=0,
        **options,
    ).history


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("from_logits", [True, False])
def test_only_sure_labels_count_in_the_loss(from_logits, soft):
    """By hand: a weight for each label, in a loss of its own."""
    teacher = classifier(from_logits, seed=1)
    p = probabilities(teacher, from_logits)
    sure = np.maximum(p, 1 - p) >= 0.75
    assert 0.1 < sure.mean() < 0.9
    labeler = PseudoLabeler(UNLABELED, teacher, FixedThreshold(0.75, soft))
    model = classifier(from_logits)
    fit(labeler, model)
    chosen = np.flatnonzero(sure.any(axis=1))
    np.testing.assert_array_equal(np.sort(labeler.chosen), chosen)

    # True labels fill what pseudo-labels leave of five batches.
    rows = np.arange(60 - len(chosen)) % 12
    targets = p.astype("float16") if soft else p > 0.5
    by_hand = classifier(from_logits, by_label=True)
    by_hand.fit(
        np.concatenate([LABELED[0][rows], UNLABELED[chosen]]),
        np.concatenate([LABELED[1][rows], targets[chosen]])[..., None],
        batch_size=12,
        epochs=2,
        shuffle=False,
        sample_weight=np.concatenate([np.ones((len(rows), 3)), sure[chosen]]),
        verbose=0,
    )
    for ours, theirs in zip(
        model.get_weights(), by_hand.get_weights(), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_every_label_is_recorded():
    teacher = classifier(seed=1)
    p = probabilities(teacher)
    confidence = np.maximum(p, 1 - p)
    sure, decided = confidence >= 0.75, p > 0.5
    labeler = PseudoLabeler(
        UNLABELED, teacher, FixedThreshold(0.75), truth=HIDDEN, veto=[5]
    )
    sure[5] = False
    history = fit(labeler, classifier())
    np.testing.assert_array_equal(labeler.labels, np.where(sure, decided, -1))
    np.testing.assert_allclose(labeler.confidence, confidence, rtol=1e-4)
    np.testing.assert_array_equal(labeler.first_kept, np.where(sure, 0, -1))
    accuracy = np.mean(decided[sure] == HIDDEN[sure])
    (found,) = labeler.rounds
    assert found["kept"] == sure.sum()
    assert found["class_counts"] == (sure & decided).sum(axis=0).tolist()
    assert history["pseudo_label_share"] == [pytest.approx(sure.mean())] * 2
    assert history["pseudo_label_accuracy"] == [pytest.approx(accuracy)] * 2
    columns = labeler.to_dict()
    assert {column.shape for column in columns.values()} == {(48,)}
    np.testing.assert_array_equal(columns["label_2"], labeler.labels[:, 2])
    np.testing.assert_array_equal(columns["truth_1"], HIDDEN[:, 1])
    assert labeler.stopped == "no_change"


def test_the_model_in_training_labels_better_and_better():
    labeler = PseudoLabeler(
        UNLABELED, policy=FixedThreshold(0.7), truth=HIDDEN, start=4
    )
    model = classifier(rate=0.1)
    history = fit(labeler, model, epochs=12)
    shares = history["pseudo_label_share"]
    assert shares[3] == 0 < shares[4] < shares[-1]
    assert labeler.rounds[-1]["accuracy"] > 0.75
    assert labeler.targets is None


def test_nothing_sure_equals_supervised_training():
    labeler = PseudoLabeler(UNLABELED, policy=FixedThreshold(1.0), start=0)
    model, supervised = classifier(), classifier()
    data = labeler.mixed_with(LABELED, 6, shuffle=False, steps_per_epoch=2)
    model.fit(data, epochs=3, shuffle=False, callbacks=[labeler], verbose=0)
    supervised.fit(*LABELED, 6, epochs=3, shuffle=False, verbose=0)
    for ours, theirs in zip(
        model.get_weights(), supervised.get_weights(), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("teacher_logits", [True, False])
def test_a_teacher_with_a_loss_of_its_own(teacher_logits):
    teacher = classifier(teacher_logits, seed=1)
    model = classifier(not teacher_logits)
    labeler = PseudoLabeler(UNLABELED, teacher, FixedThreshold(0.75))
    fit(labeler, model)
    decided = probabilities(teacher, teacher_logits) > 0.5
    kept = labeler.labels >= 0
    assert kept.any()
    np.testing.assert_array_equal(labeler.labels[kept], decided[kept])
    assert np.isfinite(model.get_weights()[0]).all()


def test_a_noisy_student_model_labels():
    teacher = NoisyStudentModel(classifier(seed=1, loss=False))
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    teacher.compile("sgd", loss)
    labeler = PseudoLabeler(UNLABELED, teacher, FixedThreshold(0.0))
    fit(labeler, classifier())
    expected = probabilities(teacher.student) > 0.5
    np.testing.assert_array_equal(labeler.labels, expected)
    assert labeler.stopped == "all_labeled"


@pytest.mark.tensorflow
def test_datasets_are_labelled_as_arrays_are():
    import tensorflow as tf

    def data(*parts):
        return tf.data.Dataset.from_tensor_slices(
            parts if len(parts) > 1 else parts[0]
        ).batch(7)

    found = []
    for labeled, unlabeled in (
        (LABELED, UNLABELED),
        (data(*LABELED), data(UNLABELED)),
    ):
        teacher, model = classifier(seed=1), classifier()
        labeler = PseudoLabeler(unlabeled, teacher, FixedThreshold(0.75))
        fit(labeler, model, labeled)
        found.append([labeler.labels, *model.get_weights()])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_a_no_to_every_label_is_said():
    teacher = classifier(seed=1)
    teacher.layers[-1].bias.assign([-99.0, -99.0, -99.0])
    labeler = PseudoLabeler(UNLABELED, teacher)
    with pytest.warns(UserWarning, match="All pseudo-labels are a no"):
        fit(labeler, classifier())


class Stop(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        raise KeyboardInterrupt


def test_the_model_has_its_own_loss_again_after_the_fit():
    model = classifier()
    labeler = PseudoLabeler(UNLABELED)
    fit(labeler, model)
    assert "compute_loss" not in vars(model)
    data = labeler.mixed_with(LABELED, 12)
    with pytest.raises(KeyboardInterrupt):
        model.fit(data, callbacks=[labeler, Stop()], verbose=0)
    assert "compute_loss" not in vars(model)


class OwnLoss(keras.Model):
    """A model whose train step computes its loss by itself."""

    def train_step(self, data):
        self.optimizer.apply_gradients(
            [(0.0 * v, v) for v in self.trainable_variables]
        )
        return {"loss": keras.ops.zeros(())}


@pytest.mark.tensorflow
def test_a_train_step_with_a_loss_of_its_own():
    inner = classifier()
    model = OwnLoss(inner.input, inner.output)
    model.compile("sgd", keras.losses.BinaryCrossentropy(from_logits=True))
    with pytest.raises(ValueError, match="has a loss of its own"):
        fit(PseudoLabeler(UNLABELED), model)


def softmax():
    model = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("sgd", "categorical_crossentropy")
    return model


INTEGERS = LABELED[0], LABELED[1].astype("int64")
REFUSED = {
    "balance": (lambda: {"balance": "repeat"}, "Leave it out"),
    "policy": (lambda: {"policy": FreeMatchPolicy()}, "judges each of them"),
    "labels": (dict, "true labels of floats"),
    "truth": (lambda: {"truth": HIDDEN[:, 0]}, "a column for each label"),
    "teacher": (lambda: {"teacher": softmax()}, "softmax of the teacher"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_before_training(name):
    options, message = REFUSED[name]
    labeler = PseudoLabeler(UNLABELED, **options())
    model = classifier()
    before = model.get_weights()
    labeled = INTEGERS if name == "labels" else LABELED
    with pytest.raises(ValueError, match=message):
        fit(labeler, model, labeled)
    for ours, theirs in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)
