import keras
import numpy as np
import pytest
from keras import layers

from keras_fewlabels.data import ImageFiles
from keras_fewlabels.loops.fit_head.stored_features import (
    stored_features,
    unlabeled_features,
)

ROWS = np.arange(20, dtype="float32").reshape(10, 2)
NUMBERS = np.arange(10)
WEIGHTS = np.linspace(0, 1, 10)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        rows = slice(4 * index, 4 * index + 4)
        return ROWS[rows], NUMBERS[rows], WEIGHTS[rows]


def extractor():
    inputs = keras.Input((2,))
    doubled = layers.Dropout(0.9)(layers.Rescaling(2.0)(inputs))
    return keras.Model(inputs, doubled)


def features_of(data, *arguments, **options):
    return stored_features(extractor(), data, "labeled", *arguments, **options)


def test_stored_features_of_arrays():
    (features, y, weight), size = features_of((ROWS, NUMBERS))
    np.testing.assert_allclose(features, 2 * ROWS)
    np.testing.assert_array_equal(y, NUMBERS)
    assert (weight, size) == (None, 10)
    _, size = features_of((ROWS, NUMBERS), 3)
    assert size == 3


def test_progress_of_the_features_is_shown(capsys):
    features_of((ROWS, NUMBERS), 4, verbose=1)
    assert "10/10" in capsys.readouterr().out
    features_of((ROWS, NUMBERS), 4, verbose=0)
    assert capsys.readouterr().out == ""


def test_images_on_disk_are_those_in_memory(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (5, 4, 4, 1), "uint8")
    paths = [tmp_path / f"{number}.png" for number in range(5)]
    for path, image in zip(paths, images, strict=True):
        keras.utils.save_img(path, image, scale=False)
    files = ImageFiles(paths, (4, 4), color_mode="grayscale")
    model = keras.Sequential([keras.Input((4, 4, 1)), layers.Flatten()])
    labels = np.arange(5)
    (features, *_), _ = stored_features(model, (files, labels), "labeled", 2)
    np.testing.assert_array_equal(features, images.reshape(5, 16))


def test_several_outputs_have_labels_each():
    labels = {"a": NUMBERS, "b": ROWS}
    (_, found, _), _ = features_of((ROWS, labels), 4)
    np.testing.assert_array_equal(found["b"], ROWS)
    with pytest.raises(ValueError, match="one label per image"):
        features_of((ROWS, {"a": NUMBERS[:4]}))


def test_stored_features_of_a_py_dataset_with_sample_weights():
    (features, y, weight), size = features_of(Batches())
    np.testing.assert_allclose(features, 2 * ROWS)
    np.testing.assert_array_equal(y, NUMBERS)
    np.testing.assert_allclose(weight, WEIGHTS)
    assert size == 4


@pytest.mark.tensorflow
def test_stored_features_of_tf_data():
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices((ROWS, NUMBERS)).batch(4)
    (features, y, weight), size = features_of(dataset)
    np.testing.assert_allclose(features, 2 * ROWS)
    np.testing.assert_array_equal(y, NUMBERS)
    assert (weight, size) == (None, 4)
    with pytest.raises(ValueError, match="`labeled` must end"):
        features_of(dataset.repeat())
    with pytest.raises(ValueError, match="must hold at least one image"):
        features_of(dataset.take(0))


def test_features_without_labels(capsys):
    model = keras.Sequential([keras.Input((2, 1, 1)), layers.Flatten()])
    images = ROWS[..., None, None]
    features = unlabeled_features(model, images, verbose=1)
    np.testing.assert_allclose(features, ROWS)
    assert "10/10" in capsys.readouterr().out
