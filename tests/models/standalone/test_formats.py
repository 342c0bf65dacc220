import zipfile

import keras
import numpy as np
import pytest

from keras_fewlabels.models.standalone.formats import (
    exported_predictions,
    write_format,
)

IMAGES = np.random.default_rng(0).random((3, 4, 4, 1), "float32")


def model_of_images():
    inputs = keras.Input((4, 4, 1))
    x = keras.layers.Flatten()(inputs)
    return keras.Model(inputs, keras.layers.Dense(2)(x))


def test_the_file_of_keras_is_its_own(tmp_path):
    write_format("keras", model_of_images(), tmp_path / "m.keras", None, None)
    assert "config.json" in zipfile.ZipFile(tmp_path / "m.keras").namelist()


@pytest.mark.jax
def test_a_format_that_a_backend_has_not(tmp_path):
    with pytest.raises(RuntimeError, match="needs Keras on the TensorFlow"):
        write_format("litert", model_of_images(), tmp_path / "m", None, None)


def test_a_file_of_another_model_is_seen(tmp_path):
    model, other = model_of_images(), model_of_images()
    model.save(tmp_path / "model.keras")
    found = exported_predictions("keras", tmp_path / "model.keras", IMAGES)
    np.testing.assert_allclose(found, model.predict(IMAGES, verbose=0))
    assert np.abs(found - other.predict(IMAGES, verbose=0)).max() > 1e-3


@pytest.mark.tensorflow
@pytest.mark.skipif(
    keras.__version__.startswith("3.12."), reason="needs Keras 3.13"
)
def test_litert_by_its_own_runtime(tmp_path):
    model = model_of_images()
    model.export(tmp_path / "m.tflite", format="litert", verbose=False)
    found = exported_predictions("litert", tmp_path / "m.tflite", IMAGES)
    np.testing.assert_allclose(
        found, model.predict(IMAGES, verbose=0), atol=1e-6
    )
