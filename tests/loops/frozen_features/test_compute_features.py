import keras
import numpy as np
import pytest

from keras_fewlabels.data.sources import image_source
from keras_fewlabels.evaluation.features import with_features
from keras_fewlabels.loops.frozen_features.compute_features import (
    BATCH_SIZE,
    FeatureReader,
)

IMAGES = np.random.default_rng(0).random((150, 4, 4, 1), "float32")


def extractor():
    return with_features(
        keras.Sequential(
            [
                keras.Input((4, 4, 1)),
                keras.layers.Flatten(),
                keras.layers.Dense(3),
            ]
        )
    )


@pytest.mark.parametrize("count", [None, 1, BATCH_SIZE, BATCH_SIZE + 1])
def test_features_of_the_first_images(count):
    reader = FeatureReader(extractor(), mirrored=False)
    done = []
    features = reader.read(image_source(IMAGES), count, done.append)
    count = count or len(IMAGES)
    assert features.dtype == "float16"
    np.testing.assert_allclose(
        features, IMAGES[:count].reshape(count, -1), atol=1e-3
    )
    assert done == sorted(done) and done[-1] == count
    assert reader.seconds_per_image > 0


def test_mean_with_the_mirror_images():
    reader = FeatureReader(extractor(), mirrored=True)
    features = reader.read(image_source(IMAGES))
    mean = (IMAGES + IMAGES[:, :, ::-1]) / 2
    np.testing.assert_allclose(features, mean.reshape(150, -1), atol=1e-3)
