import keras
import numpy as np
import pytest

from keras_fewlabels.data.batches.full_batches import FullBatches


class Numbers(FullBatches):
    """Batches of the numbers below five, two at a time."""

    def content_sample(self):
        return []

    def new_order(self):
        return self.passes(5, 2)

    def batch(self, index, order):
        return (order[index],)


def epoch(batches):
    numbers = [batches[index][0] for index in range(len(batches))]
    batches.on_epoch_end()
    return np.concatenate(numbers)


def test_passes_follow_one_another():
    numbers = epoch(Numbers(num_steps=5, shuffle=False))
    assert numbers.tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]


def test_each_pass_is_complete_and_has_its_own_order():
    numbers = epoch(Numbers(num_steps=10, seed=0)).reshape(4, 5)
    np.testing.assert_array_equal(np.sort(numbers), [range(5)] * 4)
    assert len({tuple(row) for row in numbers}) > 1


def test_epochs_differ_and_a_seed_repeats_them():
    runs = [
        [epoch(batches).tolist() for _ in range(3)]
        for batches in (Numbers(4, seed=1), Numbers(4, seed=1))
    ]
    assert runs[0] == runs[1]
    assert runs[0][0] != runs[0][1]


def test_a_subclass_must_define_batch():
    with pytest.raises(TypeError, match="abstract"):
        FullBatches(num_steps=1)


@pytest.mark.tensorflow
def test_as_dataset_has_the_same_batches():
    dataset = Numbers(num_steps=5, shuffle=False).as_dataset()
    assert len(dataset) == 5
    assert dataset.element_spec[0].shape == (2,)
    numbers = np.concatenate([x for (x,) in dataset.as_numpy_iterator()])
    assert numbers.tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]


def test_an_epoch_that_begins_by_number_does_not_depend_on_those_before():
    batches = Numbers(num_steps=20, seed=1)
    orders = {}
    for number in (0, 1, 2, 7):
        batches.begin_epoch(number)
        orders[number] = epoch(batches).tolist()
    assert len(set(map(tuple, orders.values()))) == 4
    # One that was broken off in the middle begins again.
    again = Numbers(num_steps=20, seed=1)
    again.begin_epoch(7)
    again[0], again[1]
    again.begin_epoch(7)
    assert epoch(again).tolist() == orders[7]
    other = Numbers(num_steps=20, seed=2)
    other.begin_epoch(7)
    assert epoch(other).tolist() != orders[7]


@pytest.mark.tensorflow
def test_as_dataset_begins_epochs_by_number():
    batches = Numbers(num_steps=20, seed=1)
    dataset = batches.as_dataset()

    def read(number):
        batches.begin_epoch(number)
        return np.concatenate([x for (x,) in dataset.as_numpy_iterator()])

    first, other, again = map(read, (3, 4, 3))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    batches.begin_epoch(3)
    np.testing.assert_array_equal(epoch(batches), first)


def test_batches_come_in_order_whatever_the_index():
    batches = Numbers(num_steps=5, shuffle=False)
    in_order = epoch(batches)
    for indices in ([3, 1, 0, 4, 2], [2, 2, 0, 0, 1]):
        batches.on_epoch_begin()
        asked = [batches[index][0] for index in indices]
        np.testing.assert_array_equal(np.concatenate(asked), in_order)


@pytest.mark.parametrize("shuffle", [False, True])
def test_fit_does_not_permute_them(shuffle):
    model = keras.Sequential([keras.Input(()), keras.layers.Identity()])
    model.compile(loss=lambda y, y_pred: y_pred, run_eagerly=True)
    losses = []

    class Losses(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            losses.append(logs["loss"] * (batch + 1))

    class Pairs(Numbers):
        def batch(self, index, order):
            return 2 * (order[index].astype("float32"),)

    model.fit(
        Pairs(5, shuffle=False),
        shuffle=shuffle,
        callbacks=[Losses()],
        verbose=0,
    )
    # The mean of the numbers so far.
    np.testing.assert_allclose(
        np.diff(losses, prepend=0), [0.5, 2.5, 2, 1.5, 3.5], rtol=1e-5
    )


@pytest.mark.tensorflow
def test_an_epoch_that_lasts_into_the_next_is_refused():
    # Longer than what is read ahead.
    batches = Numbers(num_steps=2000, seed=0)
    dataset = batches.as_dataset()
    # Without numbers of epochs nobody minds.
    assert len(list(dataset.repeat(2).as_numpy_iterator())) == 4000
    dataset.begin_epoch(0)
    iterator = dataset.as_numpy_iterator()
    next(iterator)
    dataset.begin_epoch(1)
    with pytest.raises(Exception, match="still reads batches of epoch 0"):
        for _ in iterator:
            pass
