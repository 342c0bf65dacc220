import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels.layers import RandAugment
from keras_fewlabels.layers.augmentation import Augmentation
from keras_fewlabels.layers.horizontal_flip import HorizontalFlip

LEVELS = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), "uint8")


@keras.saving.register_keras_serializable("tests")
class SeenDtypes(keras.layers.Layer):
    """Remembers the dtypes of the images that it passes through."""

    def __init__(self, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.seen = []

    def call(self, images, training=True):
        self.seen.append(keras.backend.standardize_dtype(images.dtype))
        return images


def make():
    return [HorizontalFlip(seed=1), RandAugment(2, 10, seed=2)]


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_augments_as_a_sequential_model_does(dtype):
    images = LEVELS.astype(dtype)
    expected = keras.Sequential(make())(images, training=True)
    found = Augmentation(make())(images, training=True)
    np.testing.assert_array_equal(*map(ops.convert_to_numpy, (found, expected)))


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_bytes_are_floats_only_at_the_end(policy):
    keras.config.set_dtype_policy(policy)
    layer = Augmentation([HorizontalFlip(), SeenDtypes(), SeenDtypes()])
    output = layer(LEVELS, training=True)
    assert [seen.seen for seen in layer.layers[1:]] == [["uint8"], ["uint8"]]
    dtype = keras.backend.standardize_dtype(output.dtype)
    assert dtype == policy.removeprefix("mixed_")


def test_inference_passes_images_through():
    output = Augmentation(make())(LEVELS, training=False)
    np.testing.assert_array_equal(ops.convert_to_numpy(output), LEVELS)


def test_a_file_keeps_the_place_in_the_stream_of_draws(tmp_path):
    model = keras.Sequential([keras.Input((8, 8, 3)), Augmentation(make())])
    first = ops.convert_to_numpy(model(LEVELS, training=True))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    second, found = (
        ops.convert_to_numpy(part(LEVELS, training=True))
        for part in (model, loaded)
    )
    np.testing.assert_array_equal(found, second)
    assert np.any(second != first)
