import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels.policies import (
    AdaMatchPolicy,
    DistributionAlignment,
    FixedThreshold,
)

RANDOM = np.random.default_rng(0)
# Three batches of a teacher that prefers the first class.
BATCHES = RANDOM.dirichlet([6, 1.5, 0.7], (3, 5)).astype("float32")


def by_hand(batches, prior, momentum):
    """The formula, one number at a time."""
    mean = list(prior)
    for batch in batches:
        for c in range(3):
            batch_mean = sum(row[c] for row in batch) / len(batch)
            mean[c] = momentum * mean[c] + (1 - momentum) * batch_mean
        rows = []
        for row in batch:
            scaled = [row[c] * prior[c] / mean[c] for c in range(3)]
            rows.append([value / sum(scaled) for value in scaled])
        yield rows


@pytest.mark.parametrize("prior", [None, [0.5, 0.3, 0.2]])
def test_against_the_formula_over_several_batches(prior):
    policy = DistributionAlignment(
        FixedThreshold(0.6, soft=True), prior, momentum=0.7
    )
    expected = by_hand(BATCHES, prior or [1 / 3] * 3, 0.7)
    for batch, rows in zip(BATCHES, expected, strict=True):
        targets, weights = policy(batch, training=True)
        np.testing.assert_allclose(
            ops.convert_to_numpy(targets), rows, rtol=1e-4
        )
        np.testing.assert_array_equal(
            ops.convert_to_numpy(weights), np.max(rows, axis=1) >= 0.6
        )


def test_several_labels_are_aligned_by_themselves():
    yes = RANDOM.beta([1, 2], [4, 1], (5, 2)).astype("float32")
    prior = [0.5, 0.3]
    policy = DistributionAlignment(
        FixedThreshold(0.6, soft=True, temperature=0.5), prior, momentum=0.7
    )
    assert policy.per_output
    pairs = np.stack([1 - yes, yes], axis=-1)
    targets, weights = map(ops.convert_to_numpy, policy(pairs, training=True))
    assert weights.shape == (5, 2)
    for label in range(2):
        mean = 0.7 * prior[label] + 0.3 * yes[:, label].mean()
        odds = yes[:, label] / (1 - yes[:, label])
        # The odds change as those of the share of the label should.
        odds *= prior[label] / (1 - prior[label]) / (mean / (1 - mean))
        np.testing.assert_allclose(
            targets[:, label, 1], odds**2 / (1 + odds**2), rtol=1e-4
        )
        expected = np.maximum(odds, 1 / odds) >= 0.6 / 0.4
        np.testing.assert_array_equal(weights[:, label], expected)


def test_a_policy_that_compares_classes_judges_no_several_labels():
    assert not DistributionAlignment(AdaMatchPolicy()).per_output


@pytest.mark.parametrize("prior", [None, [0.5, 1.0]])
def test_several_labels_need_a_prior(prior):
    policy = DistributionAlignment(FixedThreshold(), prior)
    with pytest.raises(ValueError, match=r"need a `prior`.*labels\.mean"):
        policy(np.full((4, 2, 2), 0.5, "float32"))


def test_mean_moves_in_training_only():
    policy = DistributionAlignment(FixedThreshold(), momentum=0.7)
    policy(BATCHES[0], training=False)
    np.testing.assert_allclose(ops.convert_to_numpy(policy.mean), 1 / 3)
    policy(BATCHES[0], training=True)
    assert ops.convert_to_numpy(policy.mean)[0] > 0.4


def test_prior_is_scaled_to_one():
    policies = [
        DistributionAlignment(FixedThreshold(0, soft=True), prior)
        for prior in ([6, 3, 1], [0.6, 0.3, 0.1])
    ]
    targets = [policy(BATCHES[0], training=True)[0] for policy in policies]
    np.testing.assert_allclose(*map(ops.convert_to_numpy, targets), rtol=1e-5)


def test_state_is_saved(tmp_path):
    inputs = keras.Input((3,))
    policy = DistributionAlignment(FixedThreshold(), momentum=0.7)
    model = keras.Model(inputs, policy(inputs))
    policy(BATCHES[0], training=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        ops.convert_to_numpy(loaded.layers[-1].mean),
        ops.convert_to_numpy(policy.mean),
    )


@pytest.mark.parametrize(
    "arguments, message",
    [
        (
            {"momentum": 1},
            r"`momentum` must be .* in \[0, 1\).*momentum=1",
        ),
        ({"prior": [0.5, 0, 0.5]}, "positive share for every class"),
        ({"prior": [0.5, 0.5]}, "2 shares for 3 classes"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        DistributionAlignment(FixedThreshold(), **arguments)(BATCHES[0])
