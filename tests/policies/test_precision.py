"""The dtypes of every policy, and the devices of its tensors."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels import policies
from policy_cases import (
    BATCHES,
    CONTEXTS,
    ask,
    ask_all,
    assert_same,
    every_policy,
    numpy_of,
    real_dtype,
    state_of,
    with_dtype,
)


@every_policy
def test_shapes_and_dtypes(make):
    keras.config.set_dtype_policy("mixed_float16")
    policy = make()
    targets, weights = ask(policy, BATCHES[0], CONTEXTS[0])
    shapes = policy.compute_output_shape(BATCHES[0].shape)
    assert (targets.shape, weights.shape) == shapes == ((6, 3), (6,))
    assert targets.dtype == weights.dtype == "float32"
    assert not policy.trainable_variables


@every_policy
@pytest.mark.parametrize(
    "dtype, computed, kept",
    [
        ("float64", "float64", "float64"),
        ("mixed_float16", "float16", "float32"),
        ("mixed_bfloat16", "bfloat16", "float32"),
    ],
)
def test_other_dtypes(make, dtype, computed, kept):
    policy = with_dtype(make, dtype)
    declared = policy(
        keras.Input((3,)),
        indices=keras.Input((), dtype="int32"),
        labeled_probabilities=keras.Input((3,)),
    )
    assert [part.dtype for part in declared] == [computed] * 2
    for batch, context in zip(BATCHES, CONTEXTS, strict=True):
        answer = policy(batch, training=True, **context)
        for part in answer:
            dtype = keras.backend.standardize_dtype(part.dtype)
            assert dtype == real_dtype(computed)
            assert np.isfinite(numpy_of(part)).all()
    assert {v.dtype for v in policy.variables} <= {kept, "int32"}
    if computed == "float64":
        ask_all(exact := make())
        assert_same(state_of(policy), state_of(exact), 1e-6)


@every_policy
def test_float64_is_exact(make):
    if real_dtype("float64") != "float64":
        pytest.skip("the backend has no float64")
    policy = with_dtype(make, "float64")
    policy.build((None, 3))
    for variable in policy.variables:
        if variable.dtype == "float64" and variable.shape == (3,):
            assert (numpy_of(variable) != np.float32(1 / 3)).all()


@every_policy
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_probabilities(make, dtype):
    rounded = [ops.cast(batch, dtype) for batch in BATCHES]
    full = [ops.convert_to_numpy(ops.cast(b, "float32")) for b in rounded]
    for ours, theirs in zip(
        ask_all(make(), rounded), ask_all(make(), full), strict=True
    ):
        assert_same(ours, theirs, 1e-6)


@every_policy
@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_moves_the_same_state(make, dtype):
    # Averages of half precision would not move at a momentum of 0.999.
    mixed, exact = with_dtype(make, dtype), make()
    for policy in (mixed, exact):
        policy.momentum = 0.999
        for _ in range(20):
            ask_all(policy)
    assert_same(state_of(mixed), state_of(exact), 1e-6)


def test_many_images_are_counted_in_half_precision():
    # 100,000 is infinite in float16.
    policy = policies.FlexMatchPolicy(
        0.9, num_unlabeled=100_000, dtype="mixed_float16"
    )
    certain = np.eye(3, dtype="float32")[:1]
    ask(policy, certain, {"indices": np.array([7])})
    thresholds = ops.convert_to_numpy(policy.thresholds())
    assert np.isfinite(thresholds).all()
    assert 0 < thresholds[0] < 1e-4


@every_policy
@pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="of torch tensors"
)
def test_tensors_stay_on_their_device(make, monkeypatch):
    # Nothing can be read off the meta device, as off any other by mistake.
    import torch

    # Of Keras, which reads the segments to find their sizes.
    monkeypatch.setattr(
        ops,
        "segment_max",
        lambda data, segments, num_segments: ops.zeros(num_segments, "int32"),
    )
    with keras.device("meta"):
        policy = make()
        batch = torch.as_tensor(BATCHES[0], device="meta")
        context = {
            name: torch.as_tensor(part, device="meta")
            for name, part in CONTEXTS[0].items()
        }
        for training in (True, False):
            answer = policy(batch, training=training, **context)
            assert {part.device.type for part in answer} == {"meta"}
