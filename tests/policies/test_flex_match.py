import types
import warnings

import numpy as np
import pytest
from keras import ops

from keras_fewlabels.policies import (
    DistributionAlignment,
    FixedThreshold,
    FlexMatchPolicy,
)
from keras_fewlabels.policies.flex_match import warn_of_order

RANDOM = np.random.default_rng(1)
# Eight batches of a teacher that is mostly confident of the first class; images
# come back, some of them within a batch.
BATCHES = RANDOM.dirichlet([1.2, 0.8, 0.5], (8, 9)).astype("float32")
INDICES = RANDOM.integers(0, 14, (8, 9))


def by_hand(threshold, warm_up, num_unlabeled):
    """The formula, one image at a time."""
    last = dict.fromkeys(range(num_unlabeled or 0))
    for batch, indices in zip(BATCHES, INDICES, strict=True):
        labels = list(last.values())
        counts = [labels.count(c) for c in range(3)]
        largest = max(counts)
        if warm_up:
            largest = max(largest, labels.count(None))
        learned = [n / largest if largest else 0 for n in counts]
        thresholds = [threshold * b / (2 - b) for b in learned]
        yield (
            thresholds,
            [max(row) >= thresholds[row.argmax()] for row in batch],
        )
        for row, index in zip(batch, indices, strict=True):
            if max(row) >= threshold:
                last[index] = int(row.argmax())
            else:
                last.setdefault(index, None)


def ask(policy, batch, indices, training=True):
    answer = policy(batch, training=training, indices=indices)
    return [ops.convert_to_numpy(part) for part in answer]


def thresholds_of(policy):
    return ops.convert_to_numpy(policy.thresholds())


@pytest.mark.parametrize("warm_up", [True, False])
@pytest.mark.parametrize("num_unlabeled", [14, 18, None])
def test_against_the_formula_over_several_batches(warm_up, num_unlabeled):
    policy = FlexMatchPolicy(0.7, warm_up, num_unlabeled)
    policy.build((None, 3))
    kept = []
    expected = by_hand(0.7, warm_up, num_unlabeled)
    for batch, indices, (thresholds, weights) in zip(
        BATCHES, INDICES, expected, strict=True
    ):
        np.testing.assert_allclose(thresholds_of(policy), thresholds, 1e-5)
        targets, answer = ask(policy, batch, indices)
        np.testing.assert_array_equal(answer, weights)
        np.testing.assert_array_equal(targets, np.eye(3)[batch.argmax(1)])
        kept.append(np.mean(answer))
    assert kept[0] == 1  # as in the reference: all thresholds start from 0
    assert min(kept) < 0.9
    assert len(set(thresholds_of(policy))) == 3


def test_unseen_images_count_if_their_number_is_known():
    batch = np.array([[0.8, 0.2], [0.9, 0.1], [0.6, 0.4]], "float32")
    policies = [FlexMatchPolicy(0.7, num_unlabeled=n) for n in (3, 20, None)]
    for policy in policies:
        ask(policy, batch, np.arange(3))
    b = 2 / 18
    expected = [0.7, 0.7 * b / (2 - b), 0.7]
    np.testing.assert_allclose(
        [thresholds_of(policy)[0] for policy in policies], expected, 1e-5
    )


def test_an_image_twice_in_a_batch_counts_once_with_its_last_confident_label():
    rows = [[0.9, 0.1], [0.1, 0.9], [0.6, 0.4], [0.2, 0.8], [0.9, 0.1]]
    policy = FlexMatchPolicy(0.7, num_unlabeled=4)
    ask(policy, np.array(rows, "float32"), np.array([2, 2, 2, 1, 0]))
    table, counts = (
        ops.convert_to_numpy(variable).tolist()
        for variable in (policy.table, policy.counts)
    )
    assert table == [0, 1, 1, -1]
    assert counts == [1, 2, 1]


def test_images_change_their_class():
    policy = FlexMatchPolicy(0.7)
    for row in ([0.9, 0.1], [0.4, 0.6], [0.1, 0.9]):
        ask(policy, np.array([row], "float32"), np.array([5]))
    assert ops.convert_to_numpy(policy.counts).tolist() == [0, 1, 0]


def test_images_of_a_larger_dataset_share_entries():
    batch = np.array([[0.9, 0.1], [0.1, 0.9]], "float32")
    policy = FlexMatchPolicy(0.7)
    ask(policy, batch, np.array([3, 3 + 2 * 65_536]))
    assert ops.convert_to_numpy(policy.counts).tolist() == [0, 1, 0]


def test_soft_targets():
    targets, _ = ask(FlexMatchPolicy(soft=True), BATCHES[0], INDICES[0])
    np.testing.assert_allclose(targets, BATCHES[0])


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"threshold": 1.2}, r"`threshold`.*\[0, 1\].*threshold=1.2"),
        ({"num_unlabeled": 0}, "Leave it out.*num_unlabeled=0"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        FlexMatchPolicy(**arguments)


def test_indices_must_be_ints():
    with pytest.raises(ValueError, match=r"must be ints.*float32"):
        ask(FlexMatchPolicy(), BATCHES[0], INDICES[0].astype("float32"))


def test_indices_are_needed_in_training_only():
    policy = FlexMatchPolicy()
    policy(BATCHES[0])
    with pytest.raises(ValueError, match="needs `indices`"):
        policy(BATCHES[0], training=True)


@pytest.mark.parametrize("is_fixed", [True, False])
@pytest.mark.parametrize(
    "policy, notes_images",
    [
        (lambda: DistributionAlignment(FlexMatchPolicy()), True),
        (FixedThreshold, False),
    ],
)
def test_images_in_another_order_are_warned_of(policy, notes_images, is_fixed):
    data = types.SimpleNamespace(has_fixed_order=lambda: is_fixed)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_of_order(policy(), data)
    assert len(caught) == (notes_images and not is_fixed)
