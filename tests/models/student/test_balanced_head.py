import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels.data import mix_labeled_unlabeled
from keras_fewlabels.models import FixMatch, NoisyStudentModel, standalone
from keras_fewlabels.models.student.balanced_head import BalancedHead

RANDOM = np.random.default_rng(0)
# 240, 120 and 40 images of the three classes.
COUNTS = np.array([240, 120, 40])
LABELS = np.repeat([0, 1, 2], COUNTS)
FEATURES = RANDOM.normal(size=(400, 5)).astype("float32")
IMAGES = RANDOM.normal(size=(30, 2, 3, 1)).astype("float32")


def classifier(activation="softmax", tail=(), use_bias=True):
    return keras.Sequential(
        [
            keras.Input((2, 3, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(5, activation="tanh"),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(3, activation=activation, use_bias=use_bias),
            *tail,
        ]
    )


def head(threshold=0.95):
    layer = BalancedHead(threshold, seed=0)
    layer.build_for(classifier())
    return layer


def log_softmax(scores):
    return scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True))


def mean_loss(layer, *arguments, repeats=60):
    arguments = keras.tree.map_structure(ops.convert_to_tensor, arguments)
    return np.mean([float(layer.loss(*arguments)) for _ in range(repeats)])


@pytest.mark.parametrize("one_hot", [False, True])
def test_labels_are_learned_by_the_rates_of_their_classes(one_hot):
    """Equation 2 of the paper, in expectation."""
    layer = head(threshold=1.1)  # No unlabelled image counts.
    labels = np.eye(3, dtype="float32")[LABELS] if one_hot else LABELS
    weights = RANDOM.random(400).astype("float32")
    twice = np.concatenate([FEATURES, FEATURES])
    found = mean_loss(layer, twice, labels, weights, FEATURES, 0.0)
    kernel, bias = layer.dense.get_weights()
    losses = -log_softmax(FEATURES @ kernel + bias)[np.arange(400), LABELS]
    expected = (weights * losses * 40 / COUNTS[LABELS]).mean()
    assert found == pytest.approx(expected, rel=0.03)
    np.testing.assert_allclose(ops.convert_to_numpy(layer.counts), 60 * COUNTS)


@pytest.mark.parametrize("progress", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("num_views", [1, 2])
def test_unlabeled_images_are_learned_by_the_rates_of_their_labels(
    progress, num_views
):
    """Equation 3 of the paper, in expectation."""
    layer = head(threshold=0.5)
    weak, strong = FEATURES[:100], FEATURES[100 : 100 + 100 * num_views]
    counted = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 2])
    zero_weights = np.zeros(10, "float32")
    found = mean_loss(
        layer,
        np.concatenate([FEATURES[:10], strong]),
        counted,
        zero_weights,
        weak,
        progress,
        repeats=150,
    )
    kernel, bias = layer.dense.get_weights()
    targets = np.exp(log_softmax(weak @ kernel + bias))
    rates = np.array([1 / 6, 1 / 3, 1])[targets.argmax(axis=1)]
    weights = 1 - progress * (1 - rates)
    weights *= targets.max(axis=1) >= 0.5
    predicted = log_softmax(strong @ kernel + bias).reshape(-1, 100, 3)
    expected = -(weights * (targets * predicted).sum(axis=-1)).mean()
    assert 0.1 < (targets.max(axis=1) >= 0.5).mean() < 0.95
    assert found == pytest.approx(expected, rel=0.04)


def test_classes_without_labels_so_far_hold_nothing_back():
    layer = head()
    np.testing.assert_array_equal(ops.convert_to_numpy(layer.rates()), 1)
    layer.counts.assign([8.0, 0.0, 2.0])
    np.testing.assert_allclose(
        ops.convert_to_numpy(layer.rates()), [0.25, 0.25, 1]
    )


def mixed():
    labeled = IMAGES[:6], np.array([0, 0, 0, 0, 1, 2])
    return mix_labeled_unlabeled(labeled, IMAGES[6:], 6, 2, seed=0)


def compiled(student, method=NoisyStudentModel, loss=None, **arguments):
    model = method(student, balanced_head=True, **arguments)
    loss = loss or "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.SGD(0.1), loss, metrics=["accuracy"])
    return model


def test_student_learns_what_it_learns_without_the_head():
    weights = []
    for balanced_head in (False, True):
        keras.utils.set_random_seed(0)
        model = NoisyStudentModel(classifier(), balanced_head=balanced_head)
        model.compile(
            keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy"
        )
        model.fit(mixed(), epochs=3, verbose=0)
        weights.append(model.student.get_weights())
    for without, beside in zip(*weights, strict=True):
        np.testing.assert_allclose(without, beside, atol=1e-5)


@pytest.mark.parametrize("from_logits", [True, False])
def test_predictions_are_those_of_the_head(from_logits, eager):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits)
    student = classifier(None if from_logits else "softmax")
    model = compiled(student, loss=loss)
    before = model.second_head.dense.get_weights()[0]
    model.fit(mixed(), epochs=2, verbose=0)
    kernel, bias = model.second_head.dense.get_weights()
    assert (kernel != before).any()
    features = keras.Model(student.inputs, student.layers[-2].output)
    logits = features.predict(IMAGES, verbose=0) @ kernel + bias
    expected = logits if from_logits else np.exp(log_softmax(logits))
    found = model.predict(IMAGES, verbose=0)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    copy = model.debiased_student()
    np.testing.assert_allclose(
        copy.predict(IMAGES, verbose=0), found, atol=1e-5
    )
    alone = standalone(
        model, list("abc"), image_size=(2, 3), value_range=(0, 1)
    )
    np.testing.assert_allclose(
        alone.predict(255 * IMAGES, verbose=0),
        np.exp(log_softmax(logits)),
        atol=1e-4,
    )


def test_several_true_labels_are_refused():
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model = compiled(classifier(None), loss=loss)
    labels = np.eye(3, dtype="float32")[[0, 0, 0, 0, 1, 2]]
    data = mix_labeled_unlabeled((IMAGES[:6], labels), IMAGES[6:], 6, 2)
    with pytest.raises(ValueError, match="`balanced_head`"):
        model.fit(data, verbose=0)


@pytest.mark.tensorflow
def test_compiles_with_xla():
    noise = keras.layers.Identity()
    model = FixMatch(
        classifier(), noise=noise, weak_noise=noise, balanced_head=True
    )
    model.compile("sgd", "sparse_categorical_crossentropy", jit_compile=True)
    logs = model.fit(mixed(), epochs=2, verbose=0).history
    assert np.isfinite(logs["loss"]).all()


def test_saved_model_goes_on_where_it_was(tmp_path):
    model = compiled(classifier())
    model.fit(mixed(), verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for each in (model, loaded):
        each.fit(mixed(), verbose=0)
    for old, new in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_allclose(
            ops.convert_to_numpy(old), ops.convert_to_numpy(new), rtol=1e-5
        )


@pytest.mark.parametrize(
    "make",
    [
        lambda: classifier(use_bias=False),
        lambda: keras.Sequential(
            [
                keras.Input((2, 3, 1)),
                keras.layers.Flatten(),
                keras.layers.Dense(1, activation="tanh"),
            ]
        ),
        lambda: classifier(None, tail=[keras.layers.LeakyReLU()]),
        lambda: classifier(None, tail=[keras.layers.BatchNormalization()]),
    ],
)
def test_students_that_do_not_end_with_a_dense_layer_are_refused(make):
    student = make()
    if isinstance(student.layers[-1], keras.layers.BatchNormalization):
        student.layers[-1].set_weights(np.full((4, 3), 2.0))
    with pytest.raises(ValueError, match="must end with one"):
        NoisyStudentModel(student, balanced_head=True)
