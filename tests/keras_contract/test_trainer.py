"""Everything that Keras's `fit` takes, with a `NoisyStudentModel`."""

import functools

import keras
import numpy as np
import pytest

from keras_fewlabels import models
from keras_fewlabels.data import mix_labeled_unlabeled

BACKEND = keras.backend.backend()
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.random((30, 4, 4, 1), "float32")
LABELS = np.arange(10) % 3
# Batches of 4 labelled and 8 unlabelled images; the last one has 2 and 4.
BATCHES = [
    (
        {
            "labeled": IMAGES[:10][start : start + 4],
            "unlabeled": IMAGES[10:30][2 * start : 2 * start + 8],
            "index": np.arange(20)[2 * start : 2 * start + 8],
        },
        LABELS[start : start + 4],
    )
    for start in (0, 4, 8)
]
WEIGHTS = [np.linspace(0.5, 2, len(labels)) for _, labels in BATCHES]
IDENTITY = keras.layers.Identity


def student():
    return keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(4, "relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )


def make(method=models.FlexMatch, **options):
    """A method that needs all that a batch can have, or another one."""
    keras.utils.set_random_seed(1)
    noise = {"noise": IDENTITY(), "weak_noise": IDENTITY()}
    model = method(student(), **noise)
    model.compile(
        keras.optimizers.SGD(0.1),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        weighted_metrics=["accuracy"],
        **options,
    )
    return model


class Batches(keras.utils.PyDataset):
    def __init__(self, batches=BATCHES, **kwargs):
        super().__init__(**kwargs)
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        return self.batches[index]


def weighted():
    return [
        (*batch, weights)
        for batch, weights in zip(BATCHES, WEIGHTS, strict=True)
    ]


def generator(batches=BATCHES):
    while True:
        yield from batches


def tf_data(batches=BATCHES):
    import tensorflow as tf

    def spec(array):
        shape = (None, *np.shape(array)[1:])
        return tf.TensorSpec(shape, np.asarray(array).dtype)

    signature = keras.tree.map_structure(spec, batches[0])
    return tf.data.Dataset.from_generator(
        lambda: iter(batches), output_signature=signature
    ).apply(tf.data.experimental.assert_cardinality(len(batches)))


def data_loader(batches=BATCHES):
    torch = pytest.importorskip("torch")
    # A batch is complete: nothing is to be put together.
    batches = keras.tree.map_structure(torch.as_tensor, batches)
    return torch.utils.data.DataLoader(
        list(batches), batch_size=None, shuffle=False
    )


def fit(model, data=None, **options):
    data = Batches() if data is None else data
    options = {"epochs": 2, "verbose": 0, **options}
    history = model.fit(data, **options).history
    assert len(history["loss"]) == 2
    for name, values in history.items():
        assert np.isfinite(values).all(), name
    return history


def weights_of(model):
    return model.student.get_weights()


def assert_same(ours, theirs):
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


@functools.cache
def weights_after_defaults(method=models.FlexMatch):
    """The weights after a fit of the same batches with all the defaults."""
    model = make(method)
    fit(model)
    return weights_of(model)


@pytest.fixture
def expected():
    return weights_after_defaults()


DATA = {
    "PyDataset": Batches,
    "generator": generator,
    "tf.data": tf_data,
    "DataLoader": data_loader,
}


@pytest.mark.parametrize("make_data", DATA.values(), ids=DATA)
def test_data_of_every_form_train_the_same(make_data, expected):
    if make_data is tf_data:
        pytest.importorskip("tensorflow")
    model = make()
    fit(model, make_data(), steps_per_epoch=3)
    assert_same(weights_of(model), expected)


def test_workers_prepare_batches(expected):
    model = make()
    fit(model, Batches(workers=2))
    # On JAX and torch, Keras repeats some batches and leaves out others.
    if BACKEND == "tensorflow":
        assert_same(weights_of(model), expected)


def test_a_dict_of_arrays_is_cut_into_batches():
    data = {"labeled": IMAGES[:9], "unlabeled": IMAGES[9:18]}
    data["index"] = np.arange(9)
    arrays, batches = make(), make()
    fit(arrays, data, y=LABELS[:9], batch_size=4)
    cut = [
        (
            {name: part[start : start + 4] for name, part in data.items()},
            LABELS[:9][start : start + 4],
        )
        for start in (0, 4, 8)
    ]
    fit(batches, Batches(cut))
    assert_same(weights_of(arrays), weights_of(batches))


def test_mixed_streams_have_a_partial_batch():
    stream = mix_labeled_unlabeled(
        (IMAGES[:10], LABELS), IMAGES[10:], 4, shuffle=False
    )
    model = make()
    fit(model, stream)
    assert int(model.optimizer.iterations) == 2 * len(stream)


COMPILED = {
    "eager": {"run_eagerly": True},
    "jit_compile": {"jit_compile": True},
    "no jit_compile": {"jit_compile": False},
    "steps_per_execution": {"steps_per_execution": 2},
    "loss scaling": {"auto_scale_loss": True},
}
METHODS = {
    "FlexMatch": models.FlexMatch,
    "MeanTeacher": models.MeanTeacher,
}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize("options", COMPILED.values(), ids=COMPILED)
def test_arguments_of_compile_change_nothing(options, method):
    if BACKEND == "torch" and options.get("jit_compile"):
        pytest.skip("torch.compile takes minutes")
    model = make(method, **options)
    if BACKEND == "torch" and "steps_per_execution" in options:
        with pytest.raises(ValueError, match="steps_per_execution"):
            fit(model)
        return
    fit(model)
    assert_same(weights_of(model), weights_after_defaults(method))


@pytest.fixture(scope="module")
def expected_of_sample_weights():
    model = make()
    fit(model, Batches(weighted()))
    return weights_of(model)


@pytest.mark.parametrize("make_data", DATA.values(), ids=DATA)
def test_sample_weights_count(make_data, expected, expected_of_sample_weights):
    model = make()
    fit(model, make_data(weighted()), steps_per_epoch=3)
    assert_same(weights_of(model), expected_of_sample_weights)
    assert any(
        np.abs(one - other).max() > 1e-3
        for one, other in zip(weights_of(model), expected, strict=True)
    )


@pytest.fixture(scope="module")
def expected_of_class_weights():
    model = make()
    as_samples = [
        (*batch, np.take([5.0, 1.0, 0.2], batch[1])) for batch in BATCHES
    ]
    fit(model, Batches(as_samples))
    return weights_of(model)


@pytest.mark.parametrize("make_data", DATA.values(), ids=DATA)
def test_class_weights_count_or_keras_refuses_them(
    make_data, expected_of_class_weights
):
    model = make()
    class_weight = {0: 5.0, 1: 1.0, 2: 0.2}
    options = {"class_weight": class_weight, "steps_per_epoch": 3}
    if make_data in (generator, data_loader):
        with pytest.raises(ValueError, match="`class_weight`"):
            fit(model, make_data(), **options)
        return
    fit(model, make_data(), **options)
    assert_same(weights_of(model), expected_of_class_weights)


TEST = IMAGES[:10], LABELS
TEST_BATCHES = [
    (IMAGES[i : i + 4][: 10 - i], LABELS[i : i + 4]) for i in (0, 4, 8)
]
VALIDATION = {
    "arrays": lambda: TEST,
    "a list": lambda: list(TEST),
    "PyDataset": lambda: Batches(TEST_BATCHES),
    "generator": lambda: generator(TEST_BATCHES),
    "tf.data": lambda: tf_data(TEST_BATCHES),
    "DataLoader": lambda: data_loader(TEST_BATCHES),
    "mixed batches": Batches,
}


@pytest.mark.parametrize("make_data", VALIDATION.values(), ids=VALIDATION)
def test_validation_of_every_form(make_data, eager):
    model = make()
    history = fit(
        model,
        validation_data=make_data(),
        validation_steps=3,
        # Once: Keras begins a generator anew, with batches that it kept.
        validation_freq=2,
        validation_batch_size=4,
    )
    scores = model.evaluate(*TEST, batch_size=4, verbose=0, return_dict=True)
    for name in ("loss", "accuracy"):
        expected = pytest.approx(scores[name], rel=1e-4)
        assert history[f"val_{name}"][-1] == expected
    assert "val_mask_ratio" not in history


def test_validation_with_sample_weights(eager):
    model = make()
    weights = np.linspace(0, 3, 10)
    history = fit(model, validation_data=(*TEST, weights))
    scores = model.evaluate(*TEST, sample_weight=weights, verbose=0)
    assert history["val_loss"][-1] == pytest.approx(scores[0], rel=1e-4)


def test_validation_now_and_then(eager):
    history = fit(make(), validation_data=TEST, validation_freq=2)
    assert len(history["val_loss"]) == 1


def test_a_split_of_batches_is_refused():
    with pytest.raises(ValueError, match="`validation_split` is only supp"):
        fit(make(), validation_split=0.2)


def test_a_split_of_a_dict_of_arrays(eager):
    data = {"labeled": IMAGES[:10], "unlabeled": IMAGES[10:20]}
    data["index"] = np.arange(10)
    history = fit(make(), data, y=LABELS, batch_size=4, validation_split=0.2)
    assert len(history["val_loss"]) == 2


def test_arrays_without_unlabeled_images_are_refused():
    for options in ({}, {"validation_split": 0.2}):
        with pytest.raises(ValueError, match="needs batches"):
            fit(make(), IMAGES[:10], y=LABELS, **options)


def test_steps_of_an_epoch_go_on_where_the_last_ones_ended(eager):
    pieces, whole = make(), make()
    fit(pieces, generator(), steps_per_epoch=3)
    fit(whole, generator(), steps_per_epoch=2, epochs=2)
    assert int(whole.optimizer.iterations) == 4
    assert int(pieces.optimizer.iterations) == 6


def test_train_on_batch_and_test_on_batch(expected):
    model = make()
    for _ in range(2):
        for batch in BATCHES:
            logs = model.train_on_batch(*batch, return_dict=True)
            assert np.isfinite(logs["loss"])
    assert_same(weights_of(model), expected)
    assert np.isfinite(model.test_on_batch(*TEST)[0])
