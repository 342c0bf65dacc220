"""What every policy keeps, whatever its formula."""

import keras
import numpy as np
import pytest

from keras_fewlabels import policies
from policy_cases import (
    BATCHES,
    CONTEXTS,
    POLICIES,
    ask,
    ask_all,
    assert_same,
    every_policy,
    state_of,
)


def test_no_policy_is_left_out():
    names = {name.partition(",")[0] for name in POLICIES}
    # The base class, and a selection, which is no policy.
    assert names == set(policies.__all__) - {"Policy", "TopPerClass"}


@every_policy
def test_state_moves_in_training_only(make):
    policy = make()
    policy.build((None, 3))
    start = state_of(policy)
    answers = [
        ask(policy, BATCHES[0], CONTEXTS[0], training)
        for training in (False, None)
    ]
    assert_same(*answers)
    assert_same(state_of(policy), start)
    ask_all(policy)
    for old, new in zip(start, state_of(policy), strict=True):
        assert (old != new).any()


@every_policy
def test_certain_teachers_make_no_nan(make):
    # Of the first class only, then of none of the first.
    certain = np.eye(3, dtype="float32")[[[0] * 6, [0] * 6, [1, 2, 1, 1, 2, 1]]]
    policy = make()
    for targets, weights in ask_all(policy, certain):
        assert np.isfinite(targets).all()
        assert np.isfinite(weights).all()
        np.testing.assert_allclose(targets.sum(axis=-1), 1, 1e-5)
    for value in state_of(policy):
        assert np.isfinite(value).all()


@pytest.mark.parametrize(
    "make",
    [
        lambda: policies.FreeMatchPolicy(momentum=0),
        lambda: policies.SoftMatchPolicy(momentum=0),
        lambda: policies.AdaMatchPolicy(momentum=0),
        lambda: policies.DebiasedPolicy(
            policies.FixedThreshold(soft=True), 1, momentum=0
        ),
        lambda: policies.DistributionAlignment(
            policies.FixedThreshold(soft=True), momentum=0
        ),
    ],
)
def test_classes_that_nothing_remembers_make_no_nan(make):
    # With no momentum the mean of a class that is never predicted is 0.
    test_certain_teachers_make_no_nan(make)


@pytest.mark.parametrize(
    "make",
    [
        lambda: policies.FixedThreshold(1.0),
        lambda: policies.AdaMatchPolicy(1.0),
        # FlexMatch and FreeMatch count all images at first.
        lambda: after(policies.FlexMatchPolicy(0.9), [[1, 0, 0], [0, 1, 0]]),
        lambda: after(policies.FreeMatchPolicy(0), [[1, 0, 0], [0, 1, 0]]),
    ],
    ids=[
        "FixedThreshold",
        "AdaMatchPolicy",
        "FlexMatchPolicy",
        "FreeMatchPolicy",
    ],
)
def test_nothing_confident_gives_zero_weights(make):
    unsure = np.array([[0.4, 0.3, 0.3], [0.3, 0.4, 0.3]], "float32")
    labeled = np.array([[0.1, 0.8, 0.1]], "float32")
    context = {"labeled_probabilities": labeled, "indices": np.array([3, 4])}
    _, weights = ask(make(), unsure, context, training=False)
    np.testing.assert_array_equal(weights, 0)


def after(policy, batch):
    ask(policy, np.array(batch, "float32"), {"indices": np.array([1, 2])})
    return policy


@every_policy
def test_state_is_saved(make, tmp_path):
    inputs = keras.Input((3,))
    context = {
        "indices": keras.Input((), dtype="int32"),
        "labeled_probabilities": keras.Input((3,)),
    }
    policy = make()
    outputs = policy(inputs, **context)
    model = keras.Model([inputs, *context.values()], outputs)
    ask_all(policy)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    again = loaded.get_layer(policy.name)
    assert_same(state_of(again), state_of(policy))
    assert_same(
        ask(again, BATCHES[0], CONTEXTS[0]),
        ask(policy, BATCHES[0], CONTEXTS[0]),
    )


@every_policy
@pytest.mark.xla
def test_compiled_by_xla_equals_eager(make):
    eager, policy = make(), make()
    policy.build((None, 3))
    step = compiled(policy)
    for batch, context in zip(BATCHES, CONTEXTS, strict=True):
        assert_same(step(batch, context), ask(eager, batch, context), 1e-5)
    assert_same(state_of(policy), state_of(eager), 1e-5)


def compiled(policy):
    def step(batch, context):
        return policy(batch, training=True, **context)

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(step, jit_compile=True)
    import jax

    def stateless(state, *arguments):
        mapping = list(zip(policy.variables, state, strict=True))
        with keras.StatelessScope(state_mapping=mapping) as scope:
            answer = step(*arguments)
        return answer, [scope.get_current_value(v) for v in policy.variables]

    stateless = jax.jit(stateless)

    def stateful(*arguments):
        state = [variable.value for variable in policy.variables]
        answer, state = stateless(state, *arguments)
        for variable, value in zip(policy.variables, state, strict=True):
            variable.assign(value)
        return answer

    return stateful
