"""Labels of datasets."""

import numpy as np
import pytest
import tensorflow as tf

from keras_fewlabels.data.sources.read_labels import read_labels

IMAGES = np.zeros((3, 2, 2, 1), "float32")


def test_labels_and_weights_in_their_order():
    stream = tf.data.Dataset.from_tensor_slices((IMAGES, [2, 0, 1]))
    labels, weights = read_labels(stream)
    np.testing.assert_array_equal(labels, [2, 0, 1])
    assert weights is None
    stream = tf.data.Dataset.from_tensor_slices(
        (IMAGES, [2, 0, 1], [0.5, 1.0, 0.0])
    )
    np.testing.assert_array_equal(read_labels(stream)[1], [0.5, 1, 0])


def test_labels_of_several_lengths_are_refused():
    stream = tf.data.Dataset.from_generator(
        lambda: ((IMAGES[0], np.ones(size)) for size in (2, 3)),
        output_signature=(
            tf.TensorSpec((2, 2, 1)),
            tf.TensorSpec((None,)),
        ),
    )
    with pytest.raises(ValueError, match=r"same shape.*Received"):
        read_labels(stream)
