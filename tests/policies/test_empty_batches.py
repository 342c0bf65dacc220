"""Empty batches, which every policy takes."""

import numpy as np
import pytest

from keras_fewlabels import policies
from policy_cases import (
    BATCHES,
    CONTEXTS,
    ask,
    assert_same,
    every_policy,
    state_of,
)


@every_policy
def test_an_empty_batch_has_empty_answers_and_moves_nothing(make):
    policy = make()
    none = {name: part[:0] for name, part in CONTEXTS[0].items()}
    # Also as the very first batch.
    for batch in (BATCHES[0][:0], BATCHES[0], BATCHES[0][:0]):
        before = state_of(policy)
        context = none if not len(batch) else CONTEXTS[0]
        targets, weights = ask(policy, batch, context)
        assert targets.shape == batch.shape
        assert weights.shape == batch.shape[:1]
        assert targets.dtype == weights.dtype == "float32"
        if not len(batch) and before:
            assert_same(state_of(policy), before)


@every_policy
@pytest.mark.tensorflow
@pytest.mark.parametrize("jit_compile", [False, True])
def test_an_empty_batch_in_a_graph_of_unknown_sizes(make, jit_compile):
    import tensorflow as tf

    policy = make()
    policy.build((None, 3))
    signature = {
        "probabilities": tf.TensorSpec((None, 3)),
        "indices": tf.TensorSpec((None,), "int32"),
        "labeled_probabilities": tf.TensorSpec((None, 3)),
    }
    step = tf.function(
        lambda batch: policy(**batch, training=True),
        input_signature=[signature],
        jit_compile=jit_compile,
    )
    batch = {"probabilities": BATCHES[0], **CONTEXTS[0]}
    step({name: part[:0] for name, part in batch.items()})
    step(batch)
    ask(expected := make(), BATCHES[0], CONTEXTS[0])
    assert_same(state_of(policy), state_of(expected), 1e-6)


def test_nothing_counts_without_labeled_images():
    policy = policies.AdaMatchPolicy(0.5, 0.7)
    labeled = np.zeros((0, 3), "float32")
    context = {"labeled_probabilities": labeled}
    targets, weights = ask(policy, BATCHES[0], context)
    np.testing.assert_array_equal(weights, 0)
    assert np.isfinite(targets).all()
    for value in state_of(policy):
        assert np.isfinite(value).all()
