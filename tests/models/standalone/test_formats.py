import zipfile

import keras
import pytest

from keras_fewlabels.models.standalone.formats import write_format


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
