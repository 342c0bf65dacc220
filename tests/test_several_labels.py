"""Models with a sigmoid for each of several labels: measured or refused."""

import keras
import numpy as np
import pytest
from keras import layers
from models_as_arguments import IMAGES, SHAPE
from sklearn.datasets import load_digits
from sklearn.metrics import average_precision_score

import keras_fewlabels as kfl

RANDOM = np.random.default_rng(0)
LABELS = RANDOM.integers(0, 2, (12, 3)).astype("float32")
LABELED, UNLABELED = (IMAGES[:12], LABELS), IMAGES[12:]
LOSS = keras.losses.BinaryCrossentropy


def several(from_logits=True, compiled=True):
    """A model of three labels that tells bright squares from dark ones."""
    keras.utils.set_random_seed(0)
    images = keras.Input(SHAPE)
    x = layers.Rescaling(1 / 255)(images)
    x = layers.AveragePooling2D(8, name="features")(x)
    x = layers.Flatten()(x)
    activation = None if from_logits else "sigmoid"
    head = layers.Dense(3, activation, kernel_initializer="random_normal")
    model = keras.Model(images, head(x))
    if compiled:
        loss = LOSS(from_logits)
        threshold = 1e-7 if from_logits else 0.5
        accuracy = keras.metrics.BinaryAccuracy("accuracy", threshold=threshold)
        model.compile(keras.optimizers.SGD(0.1), loss, metrics=[accuracy])
    return model


def mixed(**options):
    return kfl.data.mix_labeled_unlabeled(LABELED, UNLABELED, 4, **options)


def fitted(model, compiled=True):
    if compiled:
        model.compile("sgd", LOSS(from_logits=True))
    model.fit(mixed(), verbose=0)


def draw(model):
    callback = kfl.callbacks.TensorBoardImages("logs", unlabeled=UNLABELED)
    model.fit(*LABELED, verbose=0, callbacks=[callback])


# What needs classes of which one is true: functions of a model.
REFUSED = {
    **{
        name: lambda model, name=name: fitted(getattr(kfl.models, name)(model))
        for name in (
            *("AdaMatch", "FlexMatch", "FreeMatch", "MixMatch", "ReMixMatch"),
            "SoftMatch",
        )
    },
    "TensorBoardImages": draw,
    "fit_head(balanced)": lambda model: kfl.loops.fit_head(
        model, "features", LABELED, UNLABELED, balanced=True, verbose=0
    ),
    "fit_noisy_student(balanced)": lambda model: kfl.loops.fit_noisy_student(
        model, LABELED, UNLABELED, settings={"balanced": True}, verbose=0
    ),
    "balanced_head": lambda model: fitted(
        kfl.models.NoisyStudentModel(model, balanced_head=True)
    ),
    "what_changed": lambda model: kfl.evaluation.what_changed(
        model, model, IMAGES, verbose=0
    ),
}


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", REFUSED)
def test_what_needs_one_class_says_so_before_training(name):
    is_method = name.endswith(("Match", "head"))
    model = several(from_logits=is_method)
    before = model.get_weights()
    expected = "several sigmoids|classes of which one is true|balanced=False"
    with pytest.raises(ValueError, match=expected):
        REFUSED[name](model)
    for new, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(new, old)


def test_refused_before_anything_is_predicted(capsys):
    model = several()
    with pytest.raises(ValueError, match="a model of several sigmoids"):
        kfl.evaluation.what_changed(model, model, IMAGES, verbose=1)
    with pytest.raises(ValueError, match="needs `balanced=False`"):
        kfl.loops.fit_head(
            model, "features", LABELED, UNLABELED, balanced=True, verbose=1
        )
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("from_logits", [True, False])
def test_what_is_asked_of_the_images_of_a_pool(from_logits):
    model = several(from_logits)
    options = {"class_names": list("abc"), "verbose": 0}
    proposals = kfl.evaluation.next_to_label(
        model, LABELED, UNLABELED, 2, validation_data=LABELED, **options
    )
    assert proposals.several_labels and len(proposals.indices) == 2
    audit = kfl.evaluation.audit_pseudo_labels(
        model, LABELED, UNLABELED, **options
    )
    assert sorted(audit.indices) == list(range(12))
    assert audit.class_names == ["not a", "a", "not b", "b", "not c", "c"]
    examination = kfl.evaluation.examine_pool(
        model, LABELED, UNLABELED, **options
    )
    assert examination.scores.shape == (12,)
    assert examination.class_shares is None


def test_a_head_learns_several_labels():
    model = several()
    history = kfl.loops.fit_head(
        model, "features", LABELED, epochs=5, verbose=0
    ).history
    assert history["loss"][-1] < history["loss"][0]


def test_labels_that_cannot_be_stratified():
    with pytest.raises(ValueError, match="cannot be stratified"):
        kfl.data.split_labels(*LABELED, 4)
    labeled, _, _ = kfl.data.split_labels(*LABELED, 4, stratify=False)
    assert labeled[1].shape == (4, 3)


def test_one_output_at_a_time_as_the_message_says():
    model = several(from_logits=False)
    second = keras.Model(model.inputs, model.outputs[0][:, 1:2])
    truth = LABELS[:, 1]
    found = kfl.evaluation.what_changed(
        second, second, IMAGES[:12], truth, verbose=0
    )
    expected = model.predict(IMAGES[:12], verbose=0)[:, 1] > 0.5
    np.testing.assert_array_equal(found.after, expected)


@pytest.mark.parametrize("from_logits", [True, False])
def test_decisions_that_are_wrong_or_flip(from_logits):
    model = several(from_logits)
    report = kfl.evaluation.evaluate_corruptions(
        model, *LABELED, ["brightness"], [3], verbose=0
    )
    brighter = kfl.evaluation.corrupt(IMAGES[:12], "brightness", 3)
    middle = 0.0 if from_logits else 0.5

    def error(images):
        decided = model.predict(images, verbose=0) > middle
        return np.mean(decided != LABELS)

    assert report.clean_error == pytest.approx(error(IMAGES[:12]))
    assert report.errors["brightness"][0] == pytest.approx(error(brighter))
    flips = kfl.evaluation.evaluate_flip_rate(
        model, IMAGES[:6], ["brightness"], verbose=0
    )
    assert 0 < flips.mean < 0.2


@pytest.mark.parametrize("from_logits", [True, False])
def test_a_standalone_model_has_a_probability_per_label(from_logits):
    model = several(from_logits)
    alone = kfl.models.standalone(model, list("abc"), value_range=(0, 255))
    outputs = model.predict(IMAGES, verbose=0)
    expected = 1 / (1 + np.exp(-outputs)) if from_logits else outputs
    found = alone.predict(IMAGES, verbose=0)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    # Without its loss nobody can tell what it gives.
    with pytest.raises(ValueError, match="may be logits, or probabilities"):
        kfl.evaluation.evaluate_flip_rate(alone, IMAGES[:2], verbose=0)


@pytest.mark.parametrize(
    "make", [kfl.models.FixMatch, kfl.models.UDA, kfl.models.MeanTeacher]
)
def test_methods_that_judge_each_label(make):
    student = several(compiled=False)
    student.layers[-1].bias.assign([5.0, -5.0, 0.0])
    # The noise of the methods takes long to trace.
    no_noise = keras.layers.Identity()
    model = make(student, noise=no_noise, weak_noise=no_noise)
    model.compile("sgd", LOSS(from_logits=True))
    truth = RANDOM.integers(0, 2, (12, 3))
    history = model.fit(mixed(truth=truth), verbose=0).history
    assert 0 < history["unlabeled_loss"][0] < 100
    assert 0 < history["mask_ratio"][0] <= 1
    assert 0 <= history["pseudo_label_accuracy"][0] <= 1


def test_each_label_is_aligned_by_itself(tmp_path):
    def aligned(prior):
        policy = kfl.policies.FixedThreshold(0.5)
        policy = kfl.policies.DistributionAlignment(policy, prior)
        model = kfl.models.NoisyStudentModel(several(), policy=policy)
        model.compile("sgd", LOSS(from_logits=True))
        return model

    model = aligned([0.5, 0.25, 0.125])
    model.fit(mixed(), verbose=0)
    assert model.policy.mean.shape == (3, 2)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for ours, theirs in zip(loaded.weights, model.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(ValueError, match="Several labels need a `prior`"):
        aligned(None).fit(mixed(), verbose=0)


def test_the_loss_of_a_step_is_that_of_the_formula():
    student = several(compiled=False)
    policy = kfl.policies.FixedThreshold(0.52)
    model = kfl.models.NoisyStudentModel(student, policy=policy)
    model.compile(keras.optimizers.SGD(0.0), LOSS(from_logits=True))
    truth = RANDOM.integers(0, 2, (12, 3))
    data = kfl.data.mix_labeled_unlabeled(LABELED, UNLABELED, 12, truth=truth)
    history = model.fit(data, verbose=0).history
    logits = student.predict(UNLABELED, verbose=0).astype("float64")
    p = 1 / (1 + np.exp(-logits))
    decided = p > 0.5
    counts = np.maximum(p, 1 - p) >= 0.52
    assert 0.1 < counts.mean() < 0.9
    losses = -np.log(np.where(decided, p, 1 - p)) * counts
    expected = {
        "unlabeled_loss": losses.mean(),
        "mask_ratio": counts.mean(),
        "confidence": np.maximum(p, 1 - p).mean(),
        "pseudo_label_accuracy": np.mean((decided == truth)[counts]),
    }
    for name, value in expected.items():
        assert history[name][0] == pytest.approx(value, rel=1e-3), name


def test_a_no_to_every_label_is_said():
    student = several(compiled=False)
    student.layers[-1].bias.assign([-9.0, -9.0, -9.0])
    model = kfl.models.NoisyStudentModel(student)
    model.compile(keras.optimizers.SGD(0.0), LOSS(from_logits=True))
    with pytest.warns(UserWarning, match="say no to every label"):
        model.fit(mixed(), verbose=0)


def two_digits(seed):
    """Pictures of two digits side by side; the labels are both digits.

    Returns:
        60 labelled pictures, 2,000 without labels of the same digits, and 600
        of other digits to test on.
    """
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype("float32").reshape(-1, 8, 8, 1)
    random = np.random.default_rng(seed)
    order = random.permutation(len(x))

    def pictures(rows, count):
        left, right = random.choice(rows, (2, count))
        rows = np.eye(10, dtype="float32")
        labels = np.maximum(rows[y[left]], rows[y[right]])
        return np.concatenate([x[left], x[right]], axis=2), labels

    labeled = pictures(order[:1200], 60)
    pool, _ = pictures(order[:1200], 2000)
    return labeled, pool, pictures(order[1200:], 600)


def convolutions(activation=None):
    steps = [keras.Input((8, 16, 1))]
    for filters, strides in ((32, 1), (32, 2), (64, 1)):
        steps.append(layers.Conv2D(filters, 3, strides, padding="same"))
        steps += [layers.BatchNormalization(), layers.ReLU()]
    return keras.Sequential(
        [*steps, layers.GlobalMaxPooling2D(), layers.Dense(10, activation)]
    )


def precision_of_two_digits(seed, weight):
    """Trains on the labels, then with a weight on the other pictures too."""
    labeled, pool, (x_test, y_test) = two_digits(seed)
    keras.utils.set_random_seed(seed)
    student = convolutions()
    data = kfl.data.mix_labeled_unlabeled(labeled, pool, 32, 3, seed=seed)
    for unlabeled_weight, epochs in ((0.0, 10), (weight, 20)):
        noise = [
            layers.RandomTranslation(0.12, 0.06, fill_mode="constant"),
            layers.GaussianNoise(0.15),
        ]
        model = kfl.models.NoisyStudentModel(
            student,
            kfl.models.EMATeacher(0.99),
            kfl.policies.FixedThreshold(0.0, soft=True, temperature=0.5),
            noise=keras.Sequential(noise),
            unlabeled_weight=unlabeled_weight,
        )
        model.compile(keras.optimizers.Adam(3e-3), LOSS(from_logits=True))
        model.fit(data, epochs=epochs, verbose=0)
    logits = model.teacher.model.predict(x_test, verbose=0)
    return average_precision_score(y_test, logits, average="macro")


@pytest.mark.slow
def test_pictures_without_labels_raise_the_mean_average_precision():
    gains = []
    for seed in (100, 101, 102):
        alone, both = (
            precision_of_two_digits(seed, weight) for weight in (0.0, 1.0)
        )
        print(f"seed {seed}: labels {alone:.4f}, with the pool {both:.4f}")
        gains.append(both - alone)
    assert np.mean(gains) > 0.01


@pytest.mark.slow
def test_the_loop_raises_the_mean_average_precision():
    gains = []
    for seed in (100, 101, 102):
        labeled, pool, test = two_digits(seed)
        _, report = kfl.loops.fit_noisy_student(
            lambda: convolutions("sigmoid"),
            labeled,
            pool,
            test_data=test,
            baseline=True,
            time_limit=np.inf,
            seed=seed,
            verbose=0,
        )
        details = report.to_dict()
        alone, both = (
            phase["test"]["mean_average_precision"]
            for phase in (details["baseline"], details["phases"][-1])
        )
        print(f"seed {seed}: labels {alone:.4f}, with the pool {both:.4f}")
        gains.append(both - alone)
    assert min(gains) > 0
