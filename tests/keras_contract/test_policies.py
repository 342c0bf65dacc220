"""Keras's own test of layers, on every policy."""

import keras
import numpy as np
import pytest
from keras.src.testing import TestCase

from keras_fewlabels import policies

DTYPES = (
    "float32",
    "float16",
    "bfloat16",
    "mixed_float16",
    "mixed_bfloat16",
    "float64",
)
PROBABILITIES = np.random.default_rng(0).dirichlet([2, 1, 1], 4)
CONTEXT = {
    "indices": np.arange(4, dtype="int32"),
    "labeled_probabilities": PROBABILITIES[:2].astype("float32"),
}
# Name: (class, arguments, whether it needs nothing but the probabilities).
POLICIES = {
    "FixedThreshold": (policies.FixedThreshold, {"threshold": 0.5}, True),
    "FixedThreshold, sharpened": (
        policies.FixedThreshold,
        {"threshold": 0.5, "soft": True, "temperature": 0.4},
        True,
    ),
    "FlexMatchPolicy": (policies.FlexMatchPolicy, {"num_unlabeled": 9}, False),
    "FlexMatchPolicy, unknown": (
        policies.FlexMatchPolicy,
        {"warm_up": False, "soft": True},
        False,
    ),
    "FreeMatchPolicy": (policies.FreeMatchPolicy, {}, True),
    "SoftMatchPolicy": (policies.SoftMatchPolicy, {}, True),
    "SoftMatchPolicy, per class": (
        policies.SoftMatchPolicy,
        {"per_class": True, "uniform_alignment": False},
        True,
    ),
    "AdaMatchPolicy": (policies.AdaMatchPolicy, {}, False),
    "DebiasedPolicy": (
        policies.DebiasedPolicy,
        {"policy": policies.FixedThreshold(0.5)},
        True,
    ),
    "DistributionAlignment": (
        policies.DistributionAlignment,
        {"policy": policies.FixedThreshold(0.5), "prior": [1, 2, 3]},
        True,
    ),
}


def test_no_policy_is_left_out():
    names = {case[0].__name__ for case in POLICIES.values()}
    # The base class, and a selection, which is no policy.
    assert names == set(policies.__all__) - {"Policy", "TopPerClass"}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", POLICIES.values(), ids=POLICIES)
def test_keras_takes_the_policy_for_its_own(case, dtype, request):
    if dtype != "float32":
        # One dtype is trained in a graph.
        request.getfixturevalue("eager")
    policy, arguments, stands_alone = case
    computed = dtype.removeprefix("mixed_")
    if computed == "float64" and keras.backend.backend() == "jax":
        computed = None  # JAX computes it in float32, and Keras declares it.
    TestCase().run_layer_test(
        policy,
        {**arguments, "dtype": dtype},
        input_data=keras.ops.convert_to_tensor(PROBABILITIES, "float32"),
        call_kwargs=CONTEXT,
        expected_output_shape=((4, 3), (4,)),
        expected_output_dtype=computed and (computed, computed),
        expected_num_trainable_weights=0,
        # In a fit, Keras calls a layer without the context.
        run_training_check=stands_alone,
    )
