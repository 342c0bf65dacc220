import keras
import numpy as np
import pytest
from keras import layers

from keras_fewlabels.loops.fit_head import stored_features

X = np.arange(20, dtype="float32").reshape(10, 2)
Y = np.arange(10)
W = np.linspace(0, 1, 10)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        rows = slice(4 * index, 4 * index + 4)
        return X[rows], Y[rows], W[rows]


def extractor():
    inputs = keras.Input((2,))
    doubled = layers.Dropout(0.9)(layers.Rescaling(2.0)(inputs))
    return keras.Model(inputs, doubled)


def test_arrays():
    (features, y, weight), size = stored_features(extractor(), (X, Y))
    np.testing.assert_allclose(features, 2 * X)
    assert (y is Y, weight, size) == (True, None, 32)


def test_py_dataset_with_sample_weights():
    (features, y, weight), size = stored_features(extractor(), Batches())
    np.testing.assert_allclose(features, 2 * X)
    np.testing.assert_array_equal(y, Y)
    np.testing.assert_allclose(weight, W)
    assert size == 4


@pytest.mark.tensorflow
def test_tf_data():
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices((X, Y)).batch(4)
    (features, y, weight), size = stored_features(extractor(), dataset)
    np.testing.assert_allclose(features, 2 * X)
    np.testing.assert_array_equal(y, Y)
    assert (weight, size) == (None, 4)
    with pytest.raises(ValueError, match="must have an end"):
        stored_features(extractor(), dataset.repeat())
    with pytest.raises(ValueError, match="no batch"):
        stored_features(extractor(), dataset.take(0))
