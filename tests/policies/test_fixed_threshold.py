import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels.policies import FixedThreshold

PROBABILITIES = np.array(
    [[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.5, 0.3, 0.2], [0.0, 0.0, 1.0]],
    dtype="float32",
)


def apply(policy, probabilities=PROBABILITIES):
    return [ops.convert_to_numpy(part) for part in policy(probabilities)]


def test_hard_labels():
    targets, weights = apply(FixedThreshold(threshold=0.6))
    np.testing.assert_array_equal(targets, np.eye(3)[[0, 2, 0, 2]])
    np.testing.assert_array_equal(weights, [1, 1, 0, 1])


def test_soft_labels_are_the_probabilities():
    targets, weights = apply(FixedThreshold(threshold=0.65, soft=True))
    np.testing.assert_allclose(targets, PROBABILITIES, atol=1e-6)
    np.testing.assert_array_equal(weights, [1, 0, 0, 1])


def test_sharpening_against_the_formula():
    policy = FixedThreshold(threshold=0, soft=True, temperature=0.4)
    targets, weights = apply(policy)
    for row, target in zip(PROBABILITIES, targets, strict=True):
        powers = [probability ** (1 / 0.4) for probability in row]
        expected = [power / sum(powers) for power in powers]
        np.testing.assert_allclose(target, expected, rtol=1e-5)
    # The confidence is taken before sharpening.
    np.testing.assert_array_equal(weights, [1, 1, 1, 1])
    assert apply(FixedThreshold(0.7, soft=True, temperature=0.4))[1][1] == 0


def test_extreme_temperature_stays_finite():
    policy = FixedThreshold(threshold=0, soft=True, temperature=1e-3)
    flat = np.full((1, 1000), 1e-3, dtype="float32")
    assert np.isfinite(apply(policy, flat)[0]).all()


def test_half_precision_does_not_round_the_threshold_away():
    keras.config.set_dtype_policy("mixed_float16")
    confident = np.array([[0.99945, 0.00055]], dtype="float32")
    assert apply(FixedThreshold(0.9995), confident)[1] == 0


@pytest.mark.parametrize(
    "arguments",
    [{"threshold": 1.2}, {"threshold": -0.1}, {"temperature": 0}],
)
def test_arguments_out_of_range_are_refused(arguments):
    name, value = next(iter(arguments.items()))
    with pytest.raises(ValueError, match=f"`{name}`.*{name}={value}"):
        FixedThreshold(**arguments)


def test_a_subclass_may_change_the_weights():
    class Half(FixedThreshold):
        def call(self, probabilities, **context):
            targets, weights = super().call(probabilities)
            return targets, weights / 2

    _, weights = Half(0.5)(np.array([[0.9, 0.1], [0.5, 0.5]]), training=True)
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(weights), [0.5] * 2
    )
