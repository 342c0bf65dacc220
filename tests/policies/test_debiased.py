import numpy as np
import pytest
from keras import ops

from keras_fewlabels.policies import DebiasedPolicy, FixedThreshold

RANDOM = np.random.default_rng(5)
BATCHES = RANDOM.dirichlet([2.5, 1.1, 0.6], (4, 9)).astype("float32")


def by_hand(strength, momentum):
    """The formula on logits, one number at a time."""
    mean = [1 / 3] * 3
    for batch in BATCHES:
        rows = []
        for row in batch:
            logits = [
                np.log(row[c]) - strength * np.log(mean[c]) for c in range(3)
            ]
            powers = [np.exp(logit) for logit in logits]
            rows.append([power / sum(powers) for power in powers])
        for c in range(3):
            batch_mean = sum(row[c] for row in batch) / len(batch)
            mean[c] = momentum * mean[c] + (1 - momentum) * batch_mean
        yield rows, [strength * np.log(share) for share in mean]


@pytest.mark.parametrize("strength", [0.4, 1.5])
def test_against_the_formula_over_several_batches(strength):
    policy = DebiasedPolicy(FixedThreshold(0.6, soft=True), strength, 0.3)
    for batch, (rows, margin) in zip(
        BATCHES, by_hand(strength, 0.3), strict=True
    ):
        targets, weights = map(
            ops.convert_to_numpy, policy(batch, training=True)
        )
        np.testing.assert_allclose(targets, rows, 1e-4)
        np.testing.assert_array_equal(weights, np.max(rows, axis=1) >= 0.6)
        np.testing.assert_allclose(
            ops.convert_to_numpy(policy.margin()), margin, 1e-4
        )


def test_every_class_has_its_own_mean():
    # Without its axis, as in USB, the mean is 1 / num_classes for ever.
    policy = DebiasedPolicy(FixedThreshold(), 1, momentum=0)
    policy(BATCHES[0], training=True)
    np.testing.assert_allclose(
        np.exp(ops.convert_to_numpy(policy.margin())), BATCHES[0].mean(0), 1e-5
    )
    assert np.ptp(BATCHES[0].mean(0)) > 0.2


def test_no_strength_changes_nothing():
    policy = DebiasedPolicy(FixedThreshold(0, soft=True), 0, momentum=0)
    for batch in BATCHES:
        targets, _ = policy(batch, training=True)
        np.testing.assert_allclose(ops.convert_to_numpy(targets), batch, 1e-5)
    np.testing.assert_array_equal(ops.convert_to_numpy(policy.margin()), 0)


def test_soft_is_that_of_the_inner_policy():
    assert DebiasedPolicy(FixedThreshold(soft=True)).soft
    assert not DebiasedPolicy(FixedThreshold()).soft


@pytest.mark.parametrize(
    "arguments, message",
    [
        (
            {"strength": -1},
            "`strength` must be a number, 0 or.*=-1",
        ),
        ({"momentum": 1}, "`momentum`.*momentum=1"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        DebiasedPolicy(FixedThreshold(), **arguments)
