import json

import keras
import numpy as np
import pytest

from keras_fewlabels.models.named_classes import name_classes, names_in_config

ODD = ["a/b", 'say "x"', "Käfer", "中文", "back\\slash", " space ", "{1}"]


def named(names):
    inputs = keras.Input((len(names),))
    return keras.Model(inputs, name_classes(inputs, names))


@pytest.mark.parametrize(
    "names",
    [ODD, [f"class number {i}" for i in range(1000)]],
    ids=["odd", "many"],
)
def test_names_stay_in_files_and_copies(names, tmp_path):
    model = named(names)
    x = np.random.default_rng(0).random((2, len(names)), "float32")
    for _ in range(2):
        model.save(tmp_path / "model.keras")
        model = keras.saving.load_model(tmp_path / "model.keras")
    for each in (model, keras.models.clone_model(model)):
        # As without this package.
        assert json.loads(each.get_layer("class_names").layers[0].name) == names
        assert names_in_config(each.get_config()) == names
        np.testing.assert_array_equal(each.predict(x, verbose=0), x)


def test_models_without_names():
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    assert names_in_config(model.get_config()) is None
