"""Every policy, batches for it, and comparisons of its state."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels import policies

POLICIES = {
    "FixedThreshold": lambda: policies.FixedThreshold(0.6),
    "FlexMatchPolicy": lambda: policies.FlexMatchPolicy(0.6),
    "FlexMatchPolicy, known": lambda: policies.FlexMatchPolicy(
        0.6, num_unlabeled=9
    ),
    "FreeMatchPolicy": lambda: policies.FreeMatchPolicy(0.7),
    "SoftMatchPolicy": lambda: policies.SoftMatchPolicy(momentum=0.7),
    "SoftMatchPolicy, per class": lambda: policies.SoftMatchPolicy(
        momentum=0.7, per_class=True
    ),
    "AdaMatchPolicy": lambda: policies.AdaMatchPolicy(0.9, 0.7),
    "DebiasedPolicy": lambda: policies.DebiasedPolicy(
        policies.FlexMatchPolicy(0.6, num_unlabeled=9), momentum=0.7
    ),
    "DistributionAlignment": lambda: policies.DistributionAlignment(
        policies.AdaMatchPolicy(0.9, 0.7), momentum=0.7
    ),
}
RANDOM = np.random.default_rng(6)
BATCHES = RANDOM.dirichlet([2.5, 1.1, 0.6], (3, 6)).astype("float32")
CONTEXTS = [
    {
        "labeled_probabilities": RANDOM.dirichlet([1, 2, 1], 4).astype(
            "float32"
        ),
        "indices": RANDOM.integers(0, 9, 6).astype("int32"),
    }
    for _ in BATCHES
]
every_policy = pytest.mark.parametrize("make", POLICIES.values(), ids=POLICIES)


def ask(policy, batch, context, training=True):
    answer = policy(batch, training=training, **context)
    return [ops.convert_to_numpy(part) for part in answer]


def ask_all(policy, batches=BATCHES):
    return [ask(policy, *step) for step in zip(batches, CONTEXTS, strict=True)]


def numpy_of(tensor):
    if keras.backend.standardize_dtype(tensor.dtype) == "bfloat16":
        tensor = ops.cast(tensor, "float32")
    return ops.convert_to_numpy(tensor)


def state_of(policy):
    return [ops.convert_to_numpy(variable) for variable in policy.variables]


def assert_same(ours, theirs, tolerance=0):
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, tolerance, tolerance)


def real_dtype(dtype):
    """The dtype that the backend makes of it: JAX has no float64."""
    return keras.backend.standardize_dtype(ops.zeros((), dtype).dtype)


def with_dtype(make, dtype):
    """A policy, and the policies inside of it, of another dtype."""
    config = make().get_config()
    layer = config
    while layer is not None:
        layer["dtype"] = dtype
        layer = layer.get("policy", {}).get("config")
    return type(make()).from_config(config)
