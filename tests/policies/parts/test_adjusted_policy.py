import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels.policies import (
    AdaMatchPolicy,
    FixedThreshold,
    FlexMatchPolicy,
)
from keras_fewlabels.policies.parts.adjusted_policy import AdjustedPolicy

BATCH = np.array([[0.7, 0.2, 0.1], [0.5, 0.5, 0.0]], "float32")


class Reversed(AdjustedPolicy):
    def build(self, input_shape):
        self.build_from(np.array([0.25, 0.25, 0.5]), input_shape)

    def adjust(self, probabilities, training):
        if training:
            self.move_mean(probabilities)
        return ops.flip(probabilities, axis=-1)


def built(policy, shares=(0.25, 0.25, 0.5), momentum=0.75):
    adjusted = AdjustedPolicy(policy, momentum)
    adjusted.build_from(np.array(shares), (None, 3))
    return adjusted


def test_the_policy_inside_judges_the_adjusted_probabilities():
    adjusted = Reversed(FixedThreshold(0.6, soft=True), momentum=0.5)
    targets, weights = adjusted(BATCH, training=True)
    np.testing.assert_array_equal(ops.convert_to_numpy(targets), BATCH[:, ::-1])
    assert ops.convert_to_numpy(weights).tolist() == [1, 0]
    assert ops.convert_to_numpy(adjusted.mean)[0] > 0.25


def test_the_policy_inside_gets_what_it_needs():
    adjusted = Reversed(Reversed(FlexMatchPolicy(0.6), 0.5), 0.5)
    adjusted(BATCH, training=True, indices=np.array([4, 7]))
    table = ops.convert_to_numpy(adjusted.policy.policy.table)
    assert np.flatnonzero(table >= 0).tolist() == [4]
    with pytest.raises(ValueError, match="FlexMatchPolicy needs `indices`"):
        adjusted(BATCH, training=True)
    adjusted = Reversed(AdaMatchPolicy(momentum=0), 0.5)
    adjusted(BATCH, training=True, labeled_probabilities=BATCH[:1])
    np.testing.assert_allclose(
        ops.convert_to_numpy(adjusted.policy.labeled_mean), BATCH[0]
    )


def test_mean_moves_towards_the_batch():
    adjusted = built(FixedThreshold())
    adjusted.move_mean(ops.convert_to_tensor(BATCH))
    expected = 0.75 * np.array([0.25, 0.25, 0.5]) + 0.25 * BATCH.mean(axis=0)
    np.testing.assert_allclose(
        ops.convert_to_numpy(adjusted.mean_above_zero()), expected, rtol=1e-6
    )


def test_no_class_is_without_a_share():
    adjusted = built(FixedThreshold(), shares=(0.5, 0.5, 0.0))
    mean = ops.convert_to_numpy(adjusted.mean_above_zero())
    np.testing.assert_allclose(mean, [0.5, 0.5, keras.config.epsilon()])


def test_the_policy_inside_is_built_and_tells_its_targets():
    inner = FixedThreshold(soft=True)
    assert not inner.built
    adjusted = built(inner)
    assert inner.built and adjusted.soft and not built(FixedThreshold()).soft
    shape = (8, 3)
    assert adjusted.compute_output_shape(shape) == (
        inner.compute_output_shape(shape)
    )


def test_the_dtype_is_its_own_whatever_policy_is_inside():
    adjusted = Reversed(FixedThreshold(dtype="float64"), 0.5, dtype="float16")
    declared = adjusted(keras.Input((3,)))
    answer = adjusted(np.eye(3))
    for part in (*declared, *answer):
        assert keras.backend.standardize_dtype(part.dtype) == "float16"


def test_config_holds_the_policy_inside():
    adjusted = built(FixedThreshold(0.625), momentum=0.5)
    config = adjusted.get_config()
    again = AdjustedPolicy.from_config(config)
    assert (again.policy.threshold, again.momentum) == (0.625, 0.5)
    # Reading a config leaves it as it was.
    assert config == adjusted.get_config()


@pytest.mark.parametrize(
    "policy, momentum", [(0.95, 0.5), (FixedThreshold(), 1)]
)
def test_errors(policy, momentum):
    with pytest.raises(ValueError, match="Received"):
        AdjustedPolicy(policy, momentum)
