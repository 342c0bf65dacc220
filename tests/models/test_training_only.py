import keras
import numpy as np
import pytest
from keras import layers, ops

import keras_fewlabels as kfl
from keras_fewlabels.layers.horizontal_flip import HorizontalFlip
from keras_fewlabels.models.training_only import is_training_only

IMAGES = np.random.default_rng(0).random((2, 8, 8, 3), "float32")
# What the constructors need; the other random layers of Keras need a factor.
REMOVED = {
    "ActivityRegularization": lambda: layers.ActivityRegularization(0.1),
    "AlphaDropout": lambda: layers.AlphaDropout(0.5),
    "AugMix": lambda: layers.AugMix((0, 1)),
    "CutMix": layers.CutMix,
    "Dropout": lambda: layers.Dropout(0.5),
    "Equalization": lambda: layers.Equalization((0, 1)),
    "GaussianDropout": lambda: layers.GaussianDropout(0.5),
    "GaussianNoise": lambda: layers.GaussianNoise(0.5),
    "HorizontalFlip": HorizontalFlip,
    "MixUp": layers.MixUp,
    "RandAugment": lambda: kfl.layers.RandAugment(value_range=(0, 1)),
    "RandAugment of Keras": lambda: layers.RandAugment((0, 1)),
    "RandomBrightness": lambda: layers.RandomBrightness(0.5, (0, 1)),
    "RandomFlip": layers.RandomFlip,
    "RandomInvert": lambda: layers.RandomInvert(1.0, (0, 1)),
    "RandomRotation": lambda: layers.RandomRotation(0.5),
    "RandomZoom": lambda: layers.RandomZoom(0.5),
    "Solarization": lambda: layers.Solarization(0.5, value_range=(0, 1)),
    "SpatialDropout2D": lambda: layers.SpatialDropout2D(0.5),
}
KEPT = {
    "AutoContrast": lambda: layers.AutoContrast((0, 1)),
    "Resizing": lambda: layers.Resizing(4, 4),
    "StochasticDepth": lambda: kfl.layers.StochasticDepth(
        0.5, scale="inference"
    ),
    "Rescaling": lambda: layers.Rescaling(0.5),
}


@pytest.mark.parametrize("make", REMOVED.values(), ids=REMOVED)
def test_what_is_removed_changes_nothing_in_inference(make):
    layer = make()
    assert is_training_only(layer)
    outputs = ops.convert_to_numpy(layer(IMAGES, training=False))
    np.testing.assert_allclose(outputs, IMAGES, atol=1e-6)


@pytest.mark.parametrize("make", KEPT.values(), ids=KEPT)
def test_what_changes_images_in_inference_is_kept(make):
    layer = make()
    assert not is_training_only(layer)
    outputs = ops.convert_to_numpy(layer(IMAGES, training=False))
    assert (
        outputs.shape != IMAGES.shape or np.abs(outputs - IMAGES).max() > 0.01
    )


def test_crops_are_left_to_keras():
    # Which of its versions crop in the middle when a model predicts differs.
    assert not is_training_only(layers.RandomCrop(4, 4))


def test_branches_dropped_by_layers_of_others():
    class DropPath(layers.Layer):
        def __init__(self, rate):
            super().__init__()
            self.rate = rate

        def call(self, inputs, training=False):
            return inputs if not training else 0 * inputs

    class Always(layers.Dropout):
        def call(self, inputs, training=False):
            return super().call(inputs, training=True)

    drop = DropPath(0.5)
    drop(keras.Input((4,)))
    assert is_training_only(drop)
    assert not is_training_only(Always(0.5))
    assert not is_training_only(keras.ops.add)
