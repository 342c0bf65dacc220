"""Whatever the images: the output is as it should be, or they are refused."""

import itertools

import hypothesis
import keras
import numpy as np
import pytest
from hypothesis import strategies as st
from keras import ops

import keras_fewlabels as kfl

# JAX compiles every op anew for each shape.
NUM_EXAMPLES = 5 if keras.backend.backend() == "jax" else 15
# The same examples in every run, and no folder of earlier ones.
SETTINGS = hypothesis.settings(
    derandomize=True, deadline=None, max_examples=NUM_EXAMPLES, database=None
)
DTYPES = ("uint8", "float16", "float32")
SHAPES = st.tuples(
    st.integers(1, 3), st.integers(1, 9), st.integers(1, 9), st.integers(1, 4)
)
RANGES = ((0, 255), (0, 1), (-1, 1), (-2.5, 7))
SEEDS = st.integers(0, 2**31 - 1)
POLICIES = {
    "AdaMatchPolicy": lambda share, soft: kfl.policies.AdaMatchPolicy(
        share, share * 0.99, soft
    ),
    "DebiasedPolicy": lambda share, soft: kfl.policies.DebiasedPolicy(
        kfl.policies.FixedThreshold(share, soft), 0.4, share * 0.99
    ),
    "DistributionAlignment": lambda share, soft: (
        kfl.policies.DistributionAlignment(
            kfl.policies.FixedThreshold(share, soft, 0.5), None, share * 0.99
        )
    ),
    "FixedThreshold": lambda share, soft: kfl.policies.FixedThreshold(
        share, soft, 0.05 + share
    ),
    "FlexMatchPolicy": lambda share, soft: kfl.policies.FlexMatchPolicy(
        share, share < 0.5, 7, soft
    ),
    "FreeMatchPolicy": lambda share, soft: kfl.policies.FreeMatchPolicy(
        share * 0.99, soft
    ),
    "SoftMatchPolicy": lambda share, soft: kfl.policies.SoftMatchPolicy(
        2, share * 0.99, share < 0.5, soft, soft
    ),
}


def images_of(shape, dtype, value_range, seed):
    """Noise, the first image black and the last one white."""
    low, high = value_range
    images = np.random.default_rng(seed).uniform(low, high, shape)
    images[0], images[-1] = low, high
    return images.astype(dtype)


def output_or_refusal(call):
    """The output as an array, or `None` if the input was refused."""
    try:
        return call()
    except ValueError as error:
        assert "Received" in str(error)
        return None


# Most of them are refused.
@hypothesis.settings(SETTINGS, max_examples=2 * NUM_EXAMPLES)
@hypothesis.given(
    SHAPES,
    st.sampled_from(DTYPES),
    st.sampled_from(RANGES),
    SEEDS,
    st.integers(0, 3),
    st.floats(0, 30),
    st.sampled_from(("bilinear", "nearest")),
)
def test_rand_augment(
    shape, dtype, value_range, seed, num_ops, magnitude, interpolation
):
    images = images_of(shape, dtype, value_range, seed)
    layer = kfl.layers.RandAugment(
        num_ops, magnitude, value_range, None, interpolation, seed=seed
    )
    output = output_or_refusal(lambda: layer(images))
    fits = dtype != "uint8" or value_range == (0, 255)
    assert (output is not None) == (fits and shape[-1] in (1, 3))
    if output is None:
        return
    assert keras.backend.standardize_dtype(output.dtype) == dtype
    output = ops.convert_to_numpy(output).astype("float64")
    assert output.shape == shape
    assert np.isfinite(output).all()
    slack = 1e-3 * (value_range[1] - value_range[0])
    assert output.min() >= value_range[0] - slack
    assert output.max() <= value_range[1] + slack


@SETTINGS
@hypothesis.given(
    SHAPES,
    st.sampled_from(DTYPES),
    SEEDS,
    st.floats(0, 0.95),
    st.booleans(),
    st.sampled_from(("training", "inference")),
    st.booleans(),
)
def test_stochastic_depth(
    shape, dtype, seed, rate, per_sample, scale, training
):
    branch = images_of(shape, dtype, (0, 255), seed)
    is_float = dtype != "uint8"
    layer = kfl.layers.StochasticDepth(
        rate, per_sample, scale, seed, dtype=dtype if is_float else None
    )
    output = output_or_refusal(lambda: layer(branch, training=training))
    assert (output is not None) == is_float
    if output is None:
        return
    assert keras.backend.standardize_dtype(output.dtype) == dtype
    output = ops.convert_to_numpy(output).astype("float64")
    assert output.shape == shape
    # Every sample is dropped or kept as a whole.
    kept = branch.astype("float64")
    if training and scale == "training":
        kept /= 1 - rate
    elif not training and scale == "inference":
        kept *= 1 - rate
    for sample, expected in zip(output, kept, strict=True):
        is_kept = np.allclose(sample, expected, rtol=5e-3, atol=1e-3)
        assert is_kept or (training and rate > 0 and not sample.any())


def probabilities_of(num_images, num_classes, dtype, scale, seed):
    logits = np.random.default_rng(seed).normal(size=(num_images, num_classes))
    logits *= scale
    values = np.exp(logits - logits.max(axis=1, keepdims=True))
    values /= values.sum(axis=1, keepdims=True)
    if dtype == "uint8":
        values = values == values.max(axis=1, keepdims=True)
    return values.astype(dtype)


def test_no_policy_is_left_out():
    others = {"Policy", "TopPerClass"}
    assert set(POLICIES) == set(kfl.policies.__all__) - others


@pytest.mark.parametrize("name", POLICIES)
@SETTINGS
@hypothesis.given(
    st.integers(1, 6),
    st.integers(2, 5),
    st.sampled_from(DTYPES),
    # From all alike to certain.
    st.sampled_from((0.0, 1.0, 30.0, 1e4)),
    st.floats(0, 1),
    st.booleans(),
    SEEDS,
)
def test_policy(name, num_images, num_classes, dtype, scale, share, soft, seed):
    policy = POLICIES[name](share, soft)
    for step in range(2):
        unlabeled, labeled = (
            probabilities_of(count, num_classes, dtype, scale, seed + step)
            for count in (num_images, 3)
        )
        result = output_or_refusal(
            lambda unlabeled=unlabeled, labeled=labeled: policy(
                ops.convert_to_tensor(unlabeled),
                training=True,
                labeled_probabilities=ops.convert_to_tensor(labeled),
                indices=ops.arange(num_images),
            )
        )
        assert (result is not None) == (dtype != "uint8")
        if result is not None:
            check_labels(*result, unlabeled)


@SETTINGS
@hypothesis.given(
    st.lists(st.integers(1, 9), min_size=1, max_size=5), st.integers(1, 12)
)
def test_top_per_class(sizes, num_per_class):
    starts = np.cumsum([0, *sizes])
    groups = [np.arange(*ends) for ends in itertools.pairwise(starts)]
    chosen = kfl.policies.TopPerClass(num_per_class).choose(groups)
    times = np.bincount(chosen, minlength=sum(sizes))
    for group in groups:
        assert times[group].sum() == num_per_class
        # The first ones of a group come first, and all of them in turn.
        assert (np.diff(times[group]) <= 0).all()
        assert np.ptp(times[group]) <= 1


def check_labels(targets, weights, probabilities):
    for part in (targets, weights):
        assert keras.backend.standardize_dtype(part.dtype) == "float32"
    targets, weights = map(ops.convert_to_numpy, (targets, weights))
    assert targets.shape == probabilities.shape
    assert weights.shape == probabilities.shape[:1]
    assert np.isfinite(targets).all() and np.isfinite(weights).all()
    assert targets.min() >= 0 and weights.min() >= 0
    np.testing.assert_allclose(targets.sum(axis=1), 1, atol=1e-3)
