import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels.callbacks import PseudoLabeler
from keras_fewlabels.models import NoisyStudentModel
from keras_fewlabels.policies import (
    AdaMatchPolicy,
    DistributionAlignment,
    FixedThreshold,
    FlexMatchPolicy,
    Policy,
    TopPerClass,
)

PROBABILITIES = np.array([[0.9, 0.1], [0.3, 0.7]], "float32")
IMAGES = np.zeros((8, 4, 4, 1), "float32")
CONTEXT = {"indices": np.array([4, 7]), "labeled_probabilities": PROBABILITIES}


@keras.saving.register_keras_serializable(package="tests")
class Counting(Policy):
    """A policy with a state of its own: every image it has seen counts."""

    def build(self, input_shape):
        self.seen = self.add_state("seen", np.zeros(9), "int32")
        self.mean = self.add_state("mean", 0.5)

    def call(
        self,
        probabilities,
        training=None,
        indices=None,
        labeled_probabilities=None,
    ):
        self.require(indices=indices)
        weights = ops.cast(ops.take(self.seen, indices) > 0, self.compute_dtype)
        if training:
            ones = ops.ones_like(indices, "int32")
            self.seen.assign(
                ops.scatter_update(self.seen, indices[:, None], ones)
            )
        return probabilities, weights


class Short(Policy):
    def call(self, probabilities, **context):
        self.known = context
        return probabilities, probabilities[:, 0]


def student():
    return keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )


def weights_of(policy, **context):
    _, weights = policy(PROBABILITIES, **context)
    return ops.convert_to_numpy(weights).tolist()


def test_a_policy_of_one_s_own_keeps_state():
    policy = Counting()
    assert weights_of(policy, **CONTEXT) == [0, 0]
    assert weights_of(policy, training=True, **CONTEXT) == [0, 0]
    assert weights_of(policy, indices=np.array([7, 3])) == [1, 0]
    assert not policy.trainable_variables
    assert [v.dtype for v in policy.variables] == ["int32", "float32"]
    assert ops.convert_to_numpy(policy.mean) == 0.5


def test_a_policy_of_one_s_own_trains_a_model(tmp_path):
    from keras_fewlabels.data import mix_labeled_unlabeled

    model = NoisyStudentModel(student(), policy=Counting())
    model.compile("sgd", "sparse_categorical_crossentropy")
    data = mix_labeled_unlabeled(
        (IMAGES[:2], np.arange(2)), IMAGES, batch_size=2, unlabeled_ratio=4
    )
    history = model.fit(data, epochs=2, verbose=0).history
    # In the second epoch, every image has been seen.
    assert history["mask_ratio"] == [0, 1]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert ops.convert_to_numpy(loaded.policy.seen).tolist() == [1] * 8 + [0]


def test_policies_get_what_is_known():
    policy = Short()
    policy(PROBABILITIES, training=True, **CONTEXT)
    assert set(policy.known) == set(CONTEXT)
    policy(PROBABILITIES, training=True, indices=None)
    assert policy.known == {}


def test_dtype_is_float32_by_default():
    keras.config.set_dtype_policy("mixed_float16")
    assert Short().compute_dtype == "float32"
    assert Short(dtype="mixed_float16", name="a").compute_dtype == "float16"
    assert Counting.from_config(
        Counting(dtype="float64").get_config()
    ).dtype == ("float64")


CALLS = [
    lambda self, probabilities: None,
    lambda self, probabilities, training=None: None,
    lambda self, probabilities, training=None, indices=None: None,
    lambda self, probabilities, depth, **context: None,
    lambda self: None,
]


@pytest.mark.parametrize("call", CALLS)
def test_a_call_with_other_arguments_is_refused_at_its_definition(call):
    message = (
        r"Define `def call\(self, probabilities, training=None, indices=None, "
        r"labeled_probabilities=None\)` in Mine; .* Received: call\(self"
    )
    with pytest.raises(TypeError, match=message):
        type("Mine", (Policy,), {"call": call})


def test_more_arguments_with_defaults_are_accepted():
    class Mine(Short):
        def call(self, scores, *, depth=3, **context):
            return scores, scores[:, 0]

    assert weights_of(Mine(), **CONTEXT) == pytest.approx([0.9, 0.3])


def test_a_policy_without_a_call_is_refused():
    class Mine(Policy):
        pass

    for kind in (Policy, Mine):
        with pytest.raises(TypeError, match=f"{kind.__name__} without `call`"):
            kind()


class PlainLayer(keras.layers.Layer):
    def call(self, probabilities):
        return probabilities, probabilities[:, 0]


NO_POLICIES = [
    (0.95, r"such as `policies.FixedThreshold\(0.95\)`.*policy=0.95"),
    (FixedThreshold, "such as `policies.Fixed.*Received: policy=<class"),
    (
        PlainLayer(),
        r"Derive PlainLayer from that class.*`def call\(self, probabilities, "
        r"training=None, .*\)`. Received: policy=<PlainLayer",
    ),
    (
        TopPerClass(5),
        r"Pass it as `callbacks.PseudoLabeler\(balance=...\)`. "
        r"Received: policy=TopPerClass\(num_per_class=5\)",
    ),
]


@pytest.mark.parametrize("policy, message", NO_POLICIES)
@pytest.mark.parametrize(
    "make",
    [
        lambda policy: NoisyStudentModel(student(), policy=policy),
        lambda policy: PseudoLabeler(IMAGES, policy=policy),
        DistributionAlignment,
    ],
    ids=["NoisyStudentModel", "PseudoLabeler", "DistributionAlignment"],
)
def test_other_objects_are_refused_at_construction(make, policy, message):
    expected = (
        rf"`policy` must be a `keras_fewlabels.policies.Policy`. .*{message}"
    )
    with pytest.raises(ValueError, match=expected):
        make(policy)


RESULTS = {
    "targets alone": lambda targets, weights: targets,
    "three": lambda targets, weights: (targets, weights, weights),
    "a column": lambda targets, weights: (targets, weights[:, None]),
    "swapped": lambda targets, weights: (weights, targets),
    "class numbers": lambda targets, weights: (weights, weights),
    "other classes": lambda targets, weights: (targets[:, :1], weights),
}


@pytest.mark.parametrize("change", RESULTS.values(), ids=RESULTS)
def test_other_results_than_targets_and_weights_are_refused(change):
    class Mine(Short):
        def call(self, probabilities, **context):
            return change(probabilities, probabilities[:, 0])

    message = r"`call` of Mine must return `\(targets, weights\)`.*Received: s"
    with pytest.raises(ValueError, match=message):
        Mine()(PROBABILITIES)


def test_probabilities_of_ints_are_refused():
    with pytest.raises(ValueError, match=r"Cast them .*dtype=uint8"):
        FixedThreshold()(np.eye(2, dtype="uint8"))


@pytest.mark.parametrize(
    "policy, message",
    [
        (
            FlexMatchPolicy,
            "FlexMatchPolicy needs `indices`.*data.mix_labeled_unlabeled.*None",
        ),
        (
            AdaMatchPolicy,
            "AdaMatchPolicy needs `labeled_probabilities`.*NoisyStudentModel",
        ),
        (Counting, "Counting needs `indices`"),
    ],
)
def test_missing_context_is_named(policy, message):
    with pytest.raises(ValueError, match=message):
        policy()(PROBABILITIES, training=True)
