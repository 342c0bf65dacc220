"""Keras's own test of layers, on every layer of this package."""

import keras
import numpy as np
import pytest
from keras import layers
from keras.src.testing import TestCase

from keras_fewlabels.layers import (
    RandAugment,
    StochasticDepth,
    StochasticResidual,
)
from keras_fewlabels.layers.horizontal_flip import HorizontalFlip

DTYPES = (
    "float32",
    "float16",
    "bfloat16",
    "mixed_float16",
    "mixed_bfloat16",
    "float64",
)
IMAGES = (2, 6, 5, 3)


def convolution():
    """A branch with weights, statistics and a random state."""
    return keras.Sequential(
        [
            layers.Conv2D(3, 3, padding="same"),
            layers.BatchNormalization(),
            layers.Dropout(0.1),
        ]
    )


# Name: (class, function that makes its arguments, shape of the input).
LAYERS = {
    "RandAugment, one op": (
        RandAugment,
        lambda: {"num_ops": 1, "ops": ["rotate"], "seed": 0},
        IMAGES,
    ),
    "RandAugment, a layer among its ops": (
        RandAugment,
        lambda: {"ops": ["invert", layers.Rescaling(0.5)]},
        IMAGES,
    ),
    "StochasticDepth": (StochasticDepth, lambda: {"rate": 0.4}, (4, 3)),
    "StochasticDepth, a pair": (
        StochasticDepth,
        lambda: {"rate": 0.4, "per_sample": False},
        [(4, 3), (4, 3)],
    ),
    "StochasticDepth, scaled in inference": (
        StochasticDepth,
        lambda: {"rate": 0.4, "scale": "inference", "seed": 1},
        IMAGES,
    ),
    "StochasticResidual": (
        StochasticResidual,
        lambda: {"branch": layers.Dense(3), "rate": 0.4, "seed": 0},
        (4, 3),
    ),
    "StochasticResidual, a model": (
        StochasticResidual,
        lambda: {"branch": convolution(), "rate": 0.4, "scale": "inference"},
        IMAGES,
    ),
    "HorizontalFlip": (HorizontalFlip, lambda: {"seed": 0}, IMAGES),
}
# These take tens of seconds on JAX, which compiles all ops.
SLOW_LAYERS = {
    "RandAugment": (RandAugment, dict, IMAGES),
    **{
        f"RandAugment, {table}": (
            RandAugment,
            lambda table=table: {"table": table, "interpolation": "nearest"},
            IMAGES,
        )
        for table in ("noisy_student", "fixmatch")
    },
}
KEEP_DTYPE = RandAugment, HorizontalFlip


def cases():
    for name, case in {**LAYERS, **SLOW_LAYERS}.items():
        for dtype in DTYPES:
            # RandAugment takes no notice of its dtype.
            thin = dtype == "float32" or case[0] not in KEEP_DTYPE
            quick = name in LAYERS and thin
            yield pytest.param(
                *case,
                dtype,
                id=f"{name}, {dtype}",
                marks=[] if quick else [pytest.mark.slow],
            )


@pytest.mark.parametrize("layer, make_arguments, shape, dtype", cases())
def test_keras_takes_the_layer_for_its_own(
    layer, make_arguments, shape, dtype, request
):
    if dtype != "float32" and layer is not StochasticResidual:
        # One dtype is trained in a graph. A graph with a conditional is tried
        # with each: only there must the dtypes of its cases agree.
        request.getfixturevalue("eager")
    computed = dtype.removeprefix("mixed_")
    expected = "float32" if layer in KEEP_DTYPE else computed
    if computed == "float64" and keras.backend.backend() == "jax":
        expected = None  # JAX computes it in float32, and Keras declares it.
    if layer is StochasticResidual:
        # The branch has it, and Keras saves none for a `Sequential`.
        keras.config.set_dtype_policy(dtype)
    is_pair = isinstance(shape, list)
    TestCase().run_layer_test(
        layer,
        {**make_arguments(), "dtype": dtype},
        input_shape=shape,
        expected_output_shape=shape[1] if is_pair else shape,
        expected_output_dtype=expected,
        expected_num_losses=0,
        # TensorFlow takes no generator of lists.
        run_training_check=not is_pair,
        # A branch of another dtype has weights of another dtype.
        run_mixed_precision_check=dtype == "float32",
        supports_masking=True if layer is StochasticDepth else None,
        assert_built_after_instantiation=layer
        in (StochasticDepth, HorizontalFlip),
    )


@pytest.mark.parametrize("branch_dtype", DTYPES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_branches_of_any_dtype(dtype, branch_dtype, request):
    if "float32" not in (dtype, branch_dtype):
        request.getfixturevalue("eager")
    branch = layers.Dense(3, dtype=branch_dtype)
    TestCase().run_layer_test(
        StochasticResidual,
        {"branch": branch, "rate": 0.4, "dtype": dtype},
        input_shape=(4, 3),
        run_mixed_precision_check=False,
    )


UNKNOWN_SIZES = {
    "RandAugment": lambda: RandAugment(1, ops=["rotate", "contrast"]),
    "StochasticDepth": lambda: StochasticDepth(0.4),
    "StochasticResidual": lambda: StochasticResidual(
        layers.Conv2D(3, 3, padding="same"), 0.4
    ),
    "HorizontalFlip": HorizontalFlip,
}


@pytest.mark.parametrize("make", UNKNOWN_SIZES.values(), ids=UNKNOWN_SIZES)
def test_images_of_unknown_sizes(make):
    inputs = keras.Input((None, None, 3))
    outputs = make()(inputs)
    assert outputs.shape == (None, None, None, 3)
    head = layers.Dense(2)(layers.GlobalAveragePooling2D()(outputs))
    model = keras.Model(inputs, head)
    model.compile("sgd", "mse")
    for size in ((8, 7), (5, 9)):
        images = np.full((3, *size, 3), 100, "float32")
        assert model.predict(images, verbose=0).shape == (3, 2)
        model.fit(images, np.zeros((3, 2)), batch_size=2, verbose=0)


CHANNELS_FIRST = {
    "StochasticDepth": lambda: StochasticDepth(0.4),
    "StochasticResidual": lambda: StochasticResidual(
        layers.BatchNormalization(axis=1), 0.4
    ),
}


@pytest.mark.parametrize("make", CHANNELS_FIRST.values(), ids=CHANNELS_FIRST)
def test_channels_first(make):
    inputs = keras.Input((3, 6, 5))
    model = keras.Model(inputs, make()(inputs))
    model.compile("sgd", "mse")
    images = np.ones((4, 3, 6, 5))
    model.fit(images, images, verbose=0)
    assert model.output_shape == (None, 3, 6, 5)


def test_channels_first_is_refused_by_rand_augment():
    with pytest.raises(ValueError, match=r"channels last.*Received: shape"):
        RandAugment()(keras.Input((3, 6, 5)))
