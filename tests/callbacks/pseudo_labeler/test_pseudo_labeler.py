import itertools
import warnings

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

from keras_fewlabels.callbacks import PseudoLabeler
from keras_fewlabels.models import NoisyStudentModel
from keras_fewlabels.policies import FixedThreshold, TopPerClass

DIGITS = load_digits()
IMAGES = (DIGITS.images[..., None] / 16).astype("float32")
TRUTH = DIGITS.target
LABELED = IMAGES[:100], TRUTH[:100]
UNLABELED, HIDDEN = IMAGES[100:700], TRUTH[100:700]


def classifier(loss="sparse_categorical_crossentropy", activation="softmax"):
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(10, activation=activation),
        ]
    )
    if loss is not None:
        model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    return model


@pytest.fixture(scope="module")
def teacher():
    """A classifier that was trained on the labels. No labelling changes it."""
    keras.utils.set_random_seed(0)
    teacher = classifier()
    teacher.fit(*LABELED, epochs=15, verbose=0)
    return teacher


class Remember(keras.callbacks.Callback):
    """Stores the labels of each epoch."""

    def __init__(self, labeler):
        super().__init__()
        self.labeler, self.labels = labeler, []

    def on_epoch_end(self, epoch, logs=None):
        self.labels.append(self.labeler.labels.copy())


@pytest.mark.tensorflow
def test_a_step_is_traced_once():
    traces = []

    class Counting(keras.Sequential):
        def train_step(self, *args):
            traces.append(args)
            return super().train_step(*args)

    model = Counting(classifier(None).layers)
    model.compile("adam", "sparse_categorical_crossentropy")
    labeler = PseudoLabeler(UNLABELED[:40], policy=FixedThreshold(0.1))
    model.fit(
        labeler.mixed_with(LABELED), epochs=2, callbacks=[labeler], verbose=0
    )
    assert len(traces) == 1


def test_teacher_labels_once_and_every_kept_image_is_above_the_threshold(
    teacher,
):
    labeler = PseudoLabeler(
        UNLABELED, teacher, FixedThreshold(0.75), truth=HIDDEN
    )
    model = classifier()
    history = model.fit(
        labeler.mixed_with(LABELED), epochs=3, callbacks=[labeler], verbose=0
    ).history
    probabilities = teacher.predict(UNLABELED, verbose=0)
    kept = probabilities.max(axis=1) >= 0.75
    assert 0.1 < kept.mean() < 0.9
    expected = np.where(kept, probabilities.argmax(axis=1), -1)
    np.testing.assert_array_equal(labeler.labels, expected)
    np.testing.assert_allclose(
        labeler.confidence, probabilities.max(axis=1), rtol=1e-5
    )
    assert len(labeler.rounds) == 1
    assert labeler.rounds[0]["epoch"] == 0
    assert labeler.rounds[0]["kept"] == kept.sum()
    accuracy = (expected[kept] == HIDDEN[kept]).mean()
    assert labeler.rounds[0]["accuracy"] == pytest.approx(accuracy)
    assert history["pseudo_label_accuracy"] == [pytest.approx(accuracy)] * 3
    assert history["pseudo_label_share"] == [pytest.approx(kept.mean())] * 3


def test_equals_the_pipeline_of_the_tutorials_by_hand(teacher):
    """Threshold 0.75, soft labels, rare classes repeated: a slow loop."""
    labeler = PseudoLabeler(
        UNLABELED, teacher, FixedThreshold(0.75, soft=True), balance="repeat"
    )
    model = classifier("categorical_crossentropy")
    one_hot = keras.utils.to_categorical(LABELED[1], 10)
    dataset = labeler.mixed_with((LABELED[0], one_hot))
    model.fit(dataset, callbacks=[labeler], verbose=0)

    per_class = {number: [] for number in range(10)}
    predictions = teacher.predict(UNLABELED, verbose=0)
    for number, row in enumerate(predictions):
        if row.max() >= 0.75:
            per_class[int(row.argmax())].append(number)
    largest = max(len(members) for members in per_class.values())
    times = np.bincount(labeler.chosen, minlength=600)
    for number, members in per_class.items():
        # No image of the class is left out, and repeats are spread evenly.
        assert times[members].sum() == largest, number
        assert times[members].max() - times[members].min() <= 1
    assert times.sum() == 10 * largest
    np.testing.assert_allclose(
        labeler.targets[labeler.chosen],
        predictions[labeler.chosen],
        rtol=2**-11,  # kept in half precision
        atol=1e-6,
    )


def test_model_in_training_labels_every_few_epochs():
    labeler = PseudoLabeler(UNLABELED, policy=FixedThreshold(0.2), every=2)
    remember = Remember(labeler)
    model = classifier()
    shares = model.fit(
        labeler.mixed_with(LABELED),
        epochs=7,
        callbacks=[labeler, remember],
        verbose=0,
    ).history["pseudo_label_share"]
    assert [record["epoch"] for record in labeler.rounds] == [2, 4, 6]
    assert shares[0] == shares[1] == 0 < shares[2]
    np.testing.assert_array_equal(remember.labels[2], remember.labels[3])
    assert (remember.labels[3] != remember.labels[4]).any()


def test_every_epoch_trains_exactly_on_the_labels_it_begins_with():
    """Three rounds by hand: predict, keep, put together, fit one epoch."""
    labeler = PseudoLabeler(UNLABELED, policy=FixedThreshold(0.18))
    model, by_hand = classifier(), classifier()
    by_hand.set_weights(model.get_weights())
    shares = model.fit(
        labeler.mixed_with(LABELED, 50, shuffle=False),
        epochs=3,
        shuffle=False,
        callbacks=[labeler],
        verbose=0,
    ).history["pseudo_label_share"]
    assert 0 == shares[0] < shares[1] < shares[2]

    kept, classes = np.empty(0, int), np.empty(0, int)
    for _ in range(3):
        # True labels fill what pseudo-labels leave of 14 batches.
        rows = np.arange(700 - len(kept)) % 100
        images = np.concatenate([LABELED[0][rows], UNLABELED[kept]])
        labels = np.concatenate([LABELED[1][rows], classes])
        by_hand.fit(images, labels, 50, shuffle=False, verbose=0)
        predictions = by_hand.predict(UNLABELED, 256, verbose=0)
        kept = np.flatnonzero(predictions.max(axis=1) >= 0.18)
        classes = predictions.argmax(axis=1)[kept]
    for ours, theirs in zip(
        model.get_weights(), by_hand.get_weights(), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_nothing_confident_equals_supervised_training():
    labeler = PseudoLabeler(UNLABELED, policy=FixedThreshold(1.0))
    model, supervised = classifier(), classifier()
    supervised.set_weights(model.get_weights())
    dataset = labeler.mixed_with(LABELED, 50, shuffle=False, steps_per_epoch=2)
    model.fit(dataset, epochs=3, shuffle=False, callbacks=[labeler], verbose=0)
    supervised.fit(*LABELED, 50, epochs=3, shuffle=False, verbose=0)
    for ours, theirs in zip(
        model.get_weights(), supervised.get_weights(), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_a_second_fit_forgets_the_labels_of_the_first():
    labeler = PseudoLabeler(UNLABELED, policy=FixedThreshold(0.3))
    model = classifier()
    dataset = labeler.mixed_with(LABELED)
    for _ in range(2):
        shares = model.fit(
            dataset, epochs=2, callbacks=[labeler], verbose=0
        ).history["pseudo_label_share"]
        assert shares[0] == 0
        assert len(labeler.rounds) == 1


def test_logits_are_read_off_the_loss():
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    labeler = PseudoLabeler(UNLABELED, policy=FixedThreshold(0.6), start=0)
    model = classifier(loss, activation=None)
    model.fit(labeler.mixed_with(LABELED), callbacks=[labeler], verbose=0)
    assert 0.1 <= labeler.confidence.min() <= labeler.confidence.max() <= 1


def test_self_training_beats_the_same_steps_on_the_labels_alone():
    # The baseline sees the same labels for the same number of steps.
    def accuracy(model):
        predictions = model.predict(IMAGES[700:], verbose=0).argmax(axis=1)
        return (predictions == TRUTH[700:]).mean()

    labeled = IMAGES[:40], TRUTH[:40]
    baseline = classifier()
    baseline.fit(*labeled, 32, epochs=120, verbose=0)
    labeler = PseudoLabeler(
        UNLABELED, baseline, FixedThreshold(0.8), balance="repeat"
    )
    student = classifier()
    student.fit(
        labeler.mixed_with(labeled, 32),
        epochs=12,
        callbacks=[labeler],
        verbose=0,
    )
    assert accuracy(student) > accuracy(baseline)


def test_top_per_class_takes_the_surest_of_each_class(teacher):
    """As Noisy Student does: at most k of a class, repeated up to k."""
    labeler = PseudoLabeler(UNLABELED, teacher, balance=TopPerClass(70))
    model = classifier()
    model.fit(labeler.mixed_with(LABELED), callbacks=[labeler], verbose=0)
    predictions = teacher.predict(UNLABELED, verbose=0)
    times = np.bincount(labeler.chosen, minlength=600)
    num_repeated = 0
    for number in range(10):
        members = np.flatnonzero(predictions.argmax(axis=1) == number)
        surest = members[np.argsort(-predictions[members].max(axis=1))[:70]]
        assert times[members].sum() == times[surest].sum() == 70
        assert times[surest].max() - times[surest].min() <= 1
        num_repeated += len(surest) < 70
    assert 0 < num_repeated < 10


def test_top_per_class_after_a_threshold(teacher):
    labeler = PseudoLabeler(
        UNLABELED, teacher, FixedThreshold(0.8), balance=TopPerClass(20)
    )
    model = classifier()
    model.fit(labeler.mixed_with(LABELED), callbacks=[labeler], verbose=0)
    assert labeler.confidence[labeler.chosen].min() >= 0.8
    assert set(np.bincount(labeler.labels[labeler.chosen])) == {20}


def test_a_number_per_class_that_no_class_has(teacher):
    huge = TopPerClass(590)
    labeler = PseudoLabeler(UNLABELED, teacher, balance=huge)
    with pytest.raises(ValueError, match=r"No class has 590 images.*at most"):
        fit(labeler)
    # A model in training may have them later.
    labeler = PseudoLabeler(UNLABELED, balance=huge, start=0)
    with pytest.warns(UserWarning, match="No class has 590 images"):
        fit(labeler)


def test_curriculum_keeps_a_growing_share_until_all_have_a_label():
    labeler = PseudoLabeler(UNLABELED, curriculum=0.3, truth=HIDDEN)
    model = classifier()
    shares = model.fit(
        labeler.mixed_with(LABELED), epochs=8, callbacks=[labeler], verbose=0
    ).history["pseudo_label_share"]
    assert shares == pytest.approx([0, 0.3, 0.6, 0.9, 1, 1, 1, 1])
    assert labeler.stopped == "all_labeled"
    assert len(labeler.rounds) == 4
    counts = np.bincount(labeler.first_kept, minlength=4)
    assert counts[0] == 180
    assert counts.sum() == 600


def test_max_rounds():
    labeler = PseudoLabeler(UNLABELED, policy=FixedThreshold(0.2), max_rounds=2)
    model = classifier()
    model.fit(
        labeler.mixed_with(LABELED), epochs=5, callbacks=[labeler], verbose=0
    )
    assert [each["epoch"] for each in labeler.rounds] == [1, 2]
    assert labeler.stopped == "max_rounds"


def test_labelling_stops_after_a_teacher_has_labelled(teacher):
    labeler = PseudoLabeler(UNLABELED, teacher)
    fit(labeler)
    assert labeler.stopped == "no_change"
    labeler = PseudoLabeler(UNLABELED, teacher, FixedThreshold(0.0))
    fit(labeler)
    assert labeler.stopped == "all_labeled"


def test_to_dict_has_the_history_of_each_image():
    labeler = PseudoLabeler(UNLABELED, policy=FixedThreshold(0.2), truth=HIDDEN)
    model = classifier()
    remember = Remember(labeler)
    model.fit(
        labeler.mixed_with(LABELED),
        epochs=4,
        callbacks=[labeler, remember],
        verbose=0,
    )
    columns = labeler.to_dict()
    assert {len(column) for column in columns.values()} == {600}
    np.testing.assert_array_equal(columns["truth"], HIDDEN)
    # Compared with a slow loop over the labels of each epoch.
    for image in range(0, 600, 17):
        history = [labels[image] for labels in remember.labels[1:]]
        first = next((i for i, each in enumerate(history) if each >= 0), -1)
        assert columns["first_kept"][image] == first
        given = [label for label in history if label >= 0]
        changes = sum(a != b for a, b in itertools.pairwise(given))
        assert columns["num_changes"][image] == changes
    assert columns["num_changes"].sum() == sum(
        each["changes"] for each in labeler.rounds
    )


@pytest.mark.tensorflow
def test_logs_reach_tensorboard(tmp_path):
    import tensorflow as tf

    labeler = PseudoLabeler(UNLABELED, policy=FixedThreshold(0.0), start=0)
    board = keras.callbacks.TensorBoard(tmp_path, write_graph=False)
    model = classifier()
    dataset = labeler.mixed_with(LABELED)
    model.fit(dataset, callbacks=[labeler, board], verbose=0)
    (file,) = (tmp_path / "train").iterdir()
    values = {
        value.tag: float(tf.make_ndarray(value.tensor))
        for event in tf.compat.v1.train.summary_iterator(str(file))
        for value in event.summary.value
        if value.tag.startswith("epoch_")
    }
    assert values["epoch_pseudo_label_share"] == 1.0


def test_each_round_prints_a_line(capsys):
    labeler = PseudoLabeler(UNLABELED, policy=FixedThreshold(0.0), start=0)
    classifier().fit(
        labeler.mixed_with(LABELED), callbacks=[labeler], verbose=2
    )
    line = "PseudoLabeler: 600 of 600 images have a label (100.0%), 0 of"
    assert line in capsys.readouterr().out


def fit(labeler, model=None, labeled=LABELED, mix=True):
    data = labeler.mixed_with(labeled) if mix else labeled[0]
    labels = None if mix else labeled[1]
    model = model or classifier()
    model.fit(data, labels, callbacks=[labeler], verbose=0)


def teacher_of_five():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(5, activation="softmax"),
        ]
    )
    return model


class Half(FixedThreshold):
    def call(self, probabilities, **context):
        targets, weights = super().call(probabilities)
        return targets, weights / 2


SOFT = FixedThreshold(0.5, soft=True)
ERRORS = {
    "labels in it": (
        lambda: PseudoLabeler((UNLABELED, HIDDEN)),
        "images alone.*pass them as `truth`.*tuple",
    ),
    "rank": (lambda: PseudoLabeler(UNLABELED[..., 0]), "must have shape"),
    "empty": (lambda: PseudoLabeler(UNLABELED[:0]), "at least one image"),
    "nan": (lambda: PseudoLabeler(UNLABELED * np.nan), "finite numbers"),
    "truth": (
        lambda: PseudoLabeler(UNLABELED, truth=HIDDEN[:5]),
        "5 labels for 600 images",
    ),
    "balance": (
        lambda: PseudoLabeler(UNLABELED, balance="oversample"),
        "'truncate', or a `policies.TopPerClass`.*'oversample'",
    ),
    "every": (lambda: PseudoLabeler(UNLABELED, every=0), "`every`.*every=0"),
    "batch_size": (
        lambda: PseudoLabeler(UNLABELED, batch_size=2.5),
        r"`batch_size`.*=2\.5",
    ),
    "start": (lambda: PseudoLabeler(UNLABELED, start=-1), "`start`.*start=-1"),
    "max_rounds": (
        lambda: PseudoLabeler(UNLABELED, max_rounds=0),
        "`max_rounds`.*max_rounds=0",
    ),
    "curriculum": (
        lambda: PseudoLabeler(UNLABELED, curriculum=20),
        r"a number in \(0, 1\].*curriculum=20",
    ),
    "a selection as policy": (
        lambda: PseudoLabeler(UNLABELED, policy=TopPerClass(3)),
        r"PseudoLabeler\(balance=\.\.\.\)",
    ),
    "folder": (lambda: PseudoLabeler("images/"), "load_image_folders"),
    "other shape": (
        lambda: PseudoLabeler(UNLABELED[:, :4]).mixed_with(LABELED),
        r"labeled \(8, 8, 1\), unlabeled \(4, 8, 1\)",
    ),
    "soft with class numbers": (
        lambda: PseudoLabeler(UNLABELED, policy=SOFT).mixed_with(LABELED),
        "Soft pseudo-labels need one-hot.*to_categorical",
    ),
    "not mixed": (
        lambda: fit(PseudoLabeler(UNLABELED), mix=False),
        r"Fit on `labeler.mixed_with\(labeled\)`",
    ),
    "logits": (
        lambda: fit(PseudoLabeler(UNLABELED), classifier(activation=None)),
        "model needs `activation='softmax'`",
    ),
    "teacher of other classes": (
        lambda: fit(PseudoLabeler(UNLABELED, teacher_of_five())),
        "10 classes of the student, 5 of the teacher",
    ),
    "label form": (
        lambda: fit(
            PseudoLabeler(UNLABELED), classifier("categorical_crossentropy")
        ),
        # On JAX and torch Keras builds before callbacks, and raises itself.
        "expects one-hot labels|must have the same shape",
    ),
    "label range": (
        lambda: fit(
            PseudoLabeler(UNLABELED), labeled=(LABELED[0], LABELED[1] + 1)
        ),
        "class numbers from 0 to 9.*maximum=10",
    ),
    "fractional weights": (
        lambda: fit(PseudoLabeler(UNLABELED, policy=Half(0.0), start=0)),
        "keeps an image or does not.*0.5",
    ),
}


@pytest.mark.parametrize("case", ERRORS.values(), ids=ERRORS)
def test_errors(case):
    with pytest.raises(ValueError, match=case[1]):
        case[0]()


@pytest.mark.parametrize(
    "options",
    [
        {"policy": FixedThreshold(0.5), "balance": TopPerClass(3)},
        {"balance": "truncate", "every": np.int64(2)},
        {"balance": "repeat", "start": 0, "curriculum": 1, "seed": 0},
    ],
)
def test_combinations_that_are_accepted(options):
    PseudoLabeler(UNLABELED, **options)


def test_labels_for_a_noisy_student_model():
    """A `NoisyStudentModel` as the teacher labels with its student."""
    model = NoisyStudentModel(classifier())
    model.compile("adam", "sparse_categorical_crossentropy")
    labeler = PseudoLabeler(UNLABELED, model, FixedThreshold(0.0))
    student = classifier()
    student.fit(labeler.mixed_with(LABELED), callbacks=[labeler], verbose=0)
    expected = model.student.predict(UNLABELED, verbose=0).argmax(axis=1)
    np.testing.assert_array_equal(labeler.labels, expected)


def test_vetoed_images_never_have_a_label():
    vetoed = np.array([3, 17, 599])
    labeler = PseudoLabeler(
        UNLABELED, policy=FixedThreshold(0.0), curriculum=0.5, veto=vetoed
    )
    remember = Remember(labeler)
    model = classifier()
    model.fit(
        labeler.mixed_with(LABELED),
        epochs=4,
        callbacks=[labeler, remember],
        verbose=0,
    )
    labels = np.stack(remember.labels)
    assert (labels[:, vetoed] == -1).all()
    assert not np.isin(vetoed, labeler.chosen).any()
    # All others are kept in the end; a veto withholds labels alone.
    assert (np.delete(labels[-1], vetoed) >= 0).all()
    assert np.isfinite(labeler.confidence).all()
    assert labeler.stopped == "all_labeled"


def sure_of_class(number):
    model = classifier()
    for variable in model.weights:
        variable.assign(np.zeros(variable.shape))
    model.layers[-1].bias.assign(9.0 * (np.arange(10) == number))
    return model


def test_a_class_that_takes_over_is_named_once():
    labeler = PseudoLabeler(UNLABELED, sure_of_class(7))
    data = labeler.mixed_with(LABELED)
    with pytest.warns(
        UserWarning,
        match=r"Class 7 is taking over: 100% of the pseudo-labels, but 10% of",
    ) as caught:
        classifier().fit(data, epochs=2, callbacks=[labeler], verbose=0)
    assert sum("taking over" in str(w.message) for w in caught) == 1


def test_a_class_that_really_is_frequent_takes_nothing_over():
    labeler = PseudoLabeler(UNLABELED, sure_of_class(7))
    data = labeler.mixed_with((LABELED[0], np.full(100, 7)))
    with warnings.catch_warnings():
        warnings.filterwarnings("error", ".*taking over")
        classifier().fit(data, callbacks=[labeler], verbose=0)
