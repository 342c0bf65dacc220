import keras
import numpy as np
import pytest

from keras_fewlabels.models.standalone.formats import exported_predictions

IMAGES = np.random.default_rng(0).random((3, 4, 4, 1), "float32")


def model_of_images():
    inputs = keras.Input((4, 4, 1))
    x = keras.layers.Flatten()(inputs)
    return keras.Model(inputs, keras.layers.Dense(2)(x))


def test_a_file_of_another_model_is_seen(tmp_path):
    model, other = model_of_images(), model_of_images()
    model.save(tmp_path / "model.keras")
    found = exported_predictions("keras", tmp_path / "model.keras", IMAGES)
    np.testing.assert_allclose(found, model.predict(IMAGES, verbose=0))
    assert np.abs(found - other.predict(IMAGES, verbose=0)).max() > 1e-3


@pytest.mark.tensorflow
def test_litert_by_its_own_runtime(tmp_path):
    model = model_of_images()
    model.export(tmp_path / "m.tflite", format="litert", verbose=False)
    found = exported_predictions("litert", tmp_path / "m.tflite", IMAGES)
    np.testing.assert_allclose(
        found, model.predict(IMAGES, verbose=0), atol=1e-6
    )
