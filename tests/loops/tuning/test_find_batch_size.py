import random
import types

import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels.loops import find_batch_size
from keras_fewlabels.loops.tuning.find_batch_size import (
    first_images,
    is_out_of_memory,
)

DRAWN = np.random.default_rng(0)
X = DRAWN.uniform(size=(20, 4, 4, 1)).astype("float32")
Y = DRAWN.integers(3, size=20)


class Greedy(keras.layers.Layer):
    """Really asks for 2 ** 48 bytes where a batch is above its limit."""

    def __init__(self, limit):
        super().__init__()
        self.limit = limit

    def call(self, inputs):
        size = inputs.shape[0]
        if not isinstance(size, int) or size <= self.limit:
            return inputs
        # Neither a constant nor a broadcast, which a compiler would spare.
        row = ops.stop_gradient(inputs[0, 0]) * ops.linspace(0.0, 1.0, 2**23)
        return inputs + ops.sum(ops.sort(row[:, None] * row))


def classifier(limit=1024, **kwargs):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.Flatten(),
            Greedy(limit),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    settings = {"metrics": ["accuracy"], "optimizer": "adam", **kwargs}
    model.compile(loss="sparse_categorical_crossentropy", **settings)
    return model


def state_of(model):
    variables = [
        *model.variables,
        *model.optimizer.variables,
        *model.metrics_variables,
    ]
    return [np.array(ops.convert_to_numpy(v)) for v in variables]


class WeightsAtStart(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.weights = [np.array(w) for w in self.model.get_weights()]


def test_measures_each_size_on_repeated_images(capsys):
    sizes = find_batch_size(
        classifier(), X, Y, batch_sizes=(4, 50), num_steps=2
    )
    assert list(sizes.throughputs) == [4, 50]
    assert all(rate > 0 for rate in sizes.throughputs.values())
    assert sizes.out_of_memory is None
    assert sizes.suggestion in (4, 50)
    output = capsys.readouterr().out
    assert "2/2" in output
    for size, rate in sizes.throughputs.items():
        assert f"images/s at {size}: {rate:.4f}"[:-2] in output


def test_silent_on_demand(capsys):
    find_batch_size(
        classifier(), X, Y, batch_sizes=(4,), num_steps=1, verbose=0
    )
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("limit", [1024, 4], ids=["all fit", "out of memory"])
def test_model_is_what_it_was(limit):
    model = classifier(limit)
    model.fit(X[:8], Y[:8], 4, verbose=0)
    before, function = state_of(model), model.train_function
    random_state = random.getstate()
    sizes = find_batch_size(model, X, Y, batch_sizes=(4, 8), num_steps=1)
    assert sizes.out_of_memory == (None if limit > 8 else 8)
    assert list(sizes.throughputs) == [n for n in (4, 8) if n <= limit]
    for old, new in zip(before, state_of(model), strict=True):
        np.testing.assert_array_equal(old, new)
    assert model.train_function is function
    assert model.get_metrics_result()["loss"] > 0
    assert random.getstate() == random_state


@pytest.mark.parametrize("limit", [1024, 8], ids=["all fit", "out of memory"])
def test_a_later_fit_is_the_one_without_the_search(limit):
    def fit(search):
        model = classifier(limit)
        # Else Keras looks at a batch ahead of the fit, which moves shuffling.
        model.test_on_batch(X[:8], Y[:8])
        if search:
            find_batch_size(model, X, Y, batch_sizes=(8, 16), num_steps=1)
        start = WeightsAtStart()
        history = model.fit(X, Y, 8, epochs=2, callbacks=[start], verbose=0)
        return history.history, [*start.weights, *state_of(model)]

    (expected, states), (history, again) = fit(False), fit(True)
    assert history == expected
    for one, two in zip(states, again, strict=True):
        np.testing.assert_array_equal(one, two)


def test_other_errors_pass_through_and_the_model_goes_back():
    model = classifier()
    before = state_of(model)[: len(model.variables)]
    with pytest.raises((ValueError, RuntimeError, TypeError)):
        find_batch_size(model, X[:, :3], Y, batch_sizes=(4, 8), num_steps=1)
    for old, new in zip(before, state_of(model), strict=False):
        np.testing.assert_array_equal(old, new)
    assert model.train_function is None


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        assert index == 0, "only the first batch is drawn"
        return X[:6], Y[:6], np.ones(6, "float32")


def test_py_dataset():
    sizes = find_batch_size(
        classifier(), Batches(), batch_sizes=[8], num_steps=1
    )
    assert sizes.suggestion == 8


@pytest.mark.tensorflow
def test_tf_dataset():
    import tensorflow as tf

    data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(6)
    sizes = find_batch_size(classifier(), data, batch_sizes=[8], num_steps=1)
    assert sizes.suggestion == 8
    with pytest.raises(ValueError, match=r"one image or more.*lengths \[0\]"):
        find_batch_size(classifier(), data.take(0))


def test_nothing_fits():
    model = classifier(limit=2)
    before = state_of(model)
    with pytest.raises(
        MemoryError, match=r"smallest batch size.*smaller.*\(4, 8\)"
    ) as raised:
        find_batch_size(model, X, Y, batch_sizes=(4, 8))
    assert raised.value.__cause__ is not None
    for old, new in zip(before, state_of(model), strict=False):
        np.testing.assert_array_equal(old, new)


def uncompiled():
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])


def unbuilt():
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


ERRORS = {
    "not compiled": (
        lambda: find_batch_size(uncompiled(), X, Y),
        r"Call `compile\(\)` first",
    ),
    "not built": (lambda: find_batch_size(unbuilt(), X, Y), "keras.Input"),
    "several steps": (
        lambda: find_batch_size(classifier(steps_per_execution=4), X, Y),
        "steps_per_execution=4",
    ),
    "no size": (
        lambda: find_batch_size(classifier(), X, Y, batch_sizes=()),
        r"ascending. Received: batch_sizes=\(\)",
    ),
    "unsorted": (
        lambda: find_batch_size(classifier(), X, Y, batch_sizes=(8, 4)),
        r"batch_sizes=\(8, 4\)",
    ),
    "twice": (
        lambda: find_batch_size(classifier(), X, Y, batch_sizes=(4, 4)),
        r"batch_sizes=\(4, 4\)",
    ),
    "zero": (
        lambda: find_batch_size(classifier(), X, Y, batch_sizes=(0, 4)),
        r"positive ints.*batch_sizes=\(0, 4\)",
    ),
    "no int": (
        lambda: find_batch_size(classifier(), X, Y, batch_sizes=(4.5,)),
        r"positive ints.*batch_sizes=\(4.5,\)",
    ),
    "steps": (
        lambda: find_batch_size(classifier(), X, Y, num_steps=0),
        "num_steps=0",
    ),
    "no image": (
        lambda: find_batch_size(classifier(), X[:0], Y[:0]),
        r"one image or more.*lengths \[0\]",
    ),
    "no label": (
        lambda: find_batch_size(classifier(), X, Y[:5]),
        r"one label for each.*lengths \[5, 20\]",
    ),
}


@pytest.mark.parametrize("case", ERRORS.values(), ids=ERRORS)
def test_errors(case):
    with pytest.raises(ValueError, match=case[1]):
        case[0]()


class OnTwoDevices(keras.Sequential):
    distribute_strategy = types.SimpleNamespace(num_replicas_in_sync=2)


def test_several_devices():
    model = OnTwoDevices([keras.Input((4,)), keras.layers.Dense(1)])
    # Compiling asks the strategy for more.
    model.optimizer = keras.optimizers.SGD()
    model.steps_per_execution = 1
    with pytest.raises(ValueError, match=r"one device.*2 replicas"):
        find_batch_size(model, X, Y)


class ResourceExhaustedError(Exception):
    """Named as that of TensorFlow."""


class OutOfMemoryError(RuntimeError):
    """Named as that of torch."""


# What the backends said when asked for too much.
YES = [
    MemoryError(),
    ResourceExhaustedError("failed to allocate"),
    OutOfMemoryError("Tried to allocate 20.00 GiB"),
    RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 45 bytes."),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
    RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    RuntimeError("OOM when allocating tensor with shape[9]"),
]
NO = [
    ValueError("Shapes are incompatible"),
    RuntimeError("expected scalar type Float"),
    KeyboardInterrupt(),
]


@pytest.mark.parametrize("error", YES, ids=str)
def test_out_of_memory(error):
    assert is_out_of_memory(error)


@pytest.mark.parametrize("error", NO, ids=repr)
def test_other_errors(error):
    assert not is_out_of_memory(error)


ROWS = np.arange(12.0).reshape(6, 2)
NUMBERS = np.arange(6)


class WeightedRows(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        assert index == 0, "only the first batch is drawn"
        return ROWS[:4], NUMBERS[:4], np.full(4, 0.5)


def test_first_images_of_arrays():
    images, labels = first_images(ROWS, NUMBERS, 4)
    np.testing.assert_array_equal(images, ROWS[:4])
    np.testing.assert_array_equal(labels, NUMBERS[:4])
    # As in `fit()`.
    assert (images.dtype, labels.dtype) == ("float32", "int64")
    (images,) = first_images(ROWS, None, 4)
    assert images.shape == (4, 2)


def test_first_images_of_nested_arrays():
    inputs, targets = first_images(
        {"a": ROWS, "b": NUMBERS}, (NUMBERS, ROWS), 3
    )
    assert inputs["b"].tolist() == [0, 1, 2]
    assert [target.shape for target in targets] == [(3,), (3, 2)]


@pytest.mark.parametrize("limit, size", [(3, 3), (9, 4)])
def test_first_batch_of_a_dataset(limit, size):
    images, labels, weight = first_images(WeightedRows(), None, limit)
    assert len(images) == len(labels) == len(weight) == size


def test_first_images_refuses_what_does_not_match():
    with pytest.raises(ValueError, match=r"one label for each.*lengths \[2, 6"):
        first_images(ROWS, NUMBERS[:2], 9)
    with pytest.raises(ValueError, match=r"one image or more.*lengths \[0\]"):
        first_images(iter([]), None, 9)
