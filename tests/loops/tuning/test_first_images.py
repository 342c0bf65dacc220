import keras
import numpy as np
import pytest

from keras_fewlabels.loops.tuning.find_batch_size import first_images

X = np.arange(12.0).reshape(6, 2)
Y = np.arange(6)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        assert index == 0, "only the first batch is drawn"
        return X[:4], Y[:4], np.full(4, 0.5)


def test_arrays():
    images, labels = first_images(X, Y, 4)
    np.testing.assert_array_equal(images, X[:4])
    np.testing.assert_array_equal(labels, Y[:4])
    # As in `fit()`.
    assert (images.dtype, labels.dtype) == ("float32", "int64")
    (images,) = first_images(X, None, 4)
    assert images.shape == (4, 2)


def test_nested_arrays():
    inputs, targets = first_images({"a": X, "b": Y}, (Y, X), 3)
    assert inputs["b"].tolist() == [0, 1, 2]
    assert [target.shape for target in targets] == [(3,), (3, 2)]


@pytest.mark.parametrize("limit, size", [(3, 3), (9, 4)])
def test_first_batch_of_a_dataset(limit, size):
    images, labels, weight = first_images(Batches(), None, limit)
    assert len(images) == len(labels) == len(weight) == size


def test_errors():
    with pytest.raises(ValueError, match=r"one label for each.*lengths \[2, 6"):
        first_images(X, Y[:2], 9)
    with pytest.raises(ValueError, match=r"one image or more.*lengths \[0\]"):
        first_images(iter([]), None, 9)
