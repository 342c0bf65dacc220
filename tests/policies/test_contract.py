"""What every policy keeps, whatever its formula."""

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


def test_no_policy_is_left_out():
    names = {name.partition(",")[0] for name in POLICIES}
    # The base class, and a selection, which is no policy.
    assert names == set(policies.__all__) - {"Policy", "TopPerClass"}


@every_policy
def test_shapes_and_dtypes(make):
    keras.config.set_dtype_policy("mixed_float16")
    policy = make()
    targets, weights = ask(policy, BATCHES[0], CONTEXTS[0])
    shapes = policy.compute_output_shape(BATCHES[0].shape)
    assert (targets.shape, weights.shape) == shapes == ((6, 3), (6,))
    assert targets.dtype == weights.dtype == "float32"
    assert not policy.trainable_variables


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
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_probabilities(make, dtype):
    rounded = [ops.cast(batch, dtype) for batch in BATCHES]
    full = [ops.convert_to_numpy(ops.cast(b, "float32")) for b in rounded]
    for ours, theirs in zip(
        ask_all(make(), rounded), ask_all(make(), full), strict=True
    ):
        assert_same(ours, theirs, 1e-6)


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
