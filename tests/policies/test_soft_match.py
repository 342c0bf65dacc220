import statistics

import numpy as np
import pytest
from keras import ops

from keras_fewlabels.policies import SoftMatchPolicy

RANDOM = np.random.default_rng(3)
BATCHES = RANDOM.dirichlet([2.5, 1.1, 0.6], (4, 9)).astype("float32")


def by_hand(n_sigma, momentum, uniform_alignment, per_class):
    """The formula, one number at a time."""
    mean = [1 / 3] * 3
    num_groups = 3 if per_class else 1
    mu, var = [1 / 3] * num_groups, [1.0] * num_groups
    for batch in BATCHES:
        for c in range(3):
            batch_mean = statistics.fmean(row[c] for row in batch)
            mean[c] = momentum * mean[c] + (1 - momentum) * batch_mean
        rows = [list(map(float, row)) for row in batch]
        if uniform_alignment:
            rows = [
                [p / m for p, m in zip(row, mean, strict=True)] for row in rows
            ]
            rows = [[p / sum(row) for p in row] for row in rows]
        groups = [row.index(max(row)) if per_class else 0 for row in rows]
        for g in range(num_groups):
            own = [max(r) for r, k in zip(rows, groups, strict=True) if k == g]
            if len(own) > 1:
                mu[g] += (1 - momentum) * (statistics.fmean(own) - mu[g])
                var[g] += (1 - momentum) * (statistics.variance(own) - var[g])
        yield [
            np.exp(-(min(max(row) - mu[g], 0) ** 2) * n_sigma**2 / (2 * var[g]))
            for row, g in zip(rows, groups, strict=True)
        ]


@pytest.mark.parametrize("per_class", [False, True])
@pytest.mark.parametrize("uniform_alignment", [True, False])
def test_against_the_formula_over_several_batches(uniform_alignment, per_class):
    arguments = (3, 0.3, uniform_alignment, per_class)
    policy = SoftMatchPolicy(*arguments)
    for batch, expected in zip(BATCHES, by_hand(*arguments), strict=True):
        targets, weights = map(
            ops.convert_to_numpy, policy(batch, training=True)
        )
        np.testing.assert_allclose(weights, expected, 1e-4)
        # Alignment is for the weights alone.
        np.testing.assert_array_equal(targets, np.eye(3)[batch.argmax(1)])
    assert min(expected) < 0.5


def test_a_larger_n_sigma_weighs_unsure_images_less():
    weights = [
        ops.convert_to_numpy(
            SoftMatchPolicy(n, 0)(BATCHES[0], training=True)[1]
        )
        for n in (1, 2)
    ]
    assert (weights[1] <= weights[0]).all()
    assert weights[1].min() == pytest.approx(weights[0].min() ** 4, rel=1e-3)


@pytest.mark.parametrize("momentum", [0, 0.9])
def test_a_batch_of_one_image_or_of_equal_ones(momentum):
    for batch in (BATCHES[0, :1], np.repeat(BATCHES[0, :1], 4, axis=0)):
        policy = SoftMatchPolicy(momentum=momentum)
        _, weights = policy(batch, training=True)
        np.testing.assert_array_equal(ops.convert_to_numpy(weights), 1)


def test_soft_targets():
    targets, _ = SoftMatchPolicy(soft=True)(BATCHES[0])
    np.testing.assert_allclose(ops.convert_to_numpy(targets), BATCHES[0])


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"n_sigma": 0}, "`n_sigma` must be a number above 0.*n_sigma=0"),
        ({"momentum": 1}, "`momentum`.*momentum=1"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        SoftMatchPolicy(**arguments)
