import json

import keras
import numpy as np
import pytest

import keras_fewlabels as kfl
from keras_fewlabels.models.standalone.class_names_of import (
    name_classes,
    names_in_config,
)

NAMES = ["cat", "sea/gull", "Käfer"]


def model_of_images():
    classifier = keras.Sequential(
        [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]
    )
    return kfl.models.standalone(
        classifier, NAMES, image_size=(4, 4), value_range=(0, 1)
    )


def test_of_a_model_and_of_its_file(tmp_path):
    model = model_of_images()
    assert kfl.models.class_names_of(model) == NAMES
    model.save(tmp_path / "model.keras")
    assert kfl.models.class_names_of(tmp_path / "model.keras") == NAMES
    assert kfl.models.class_names_of(str(tmp_path / "model.keras")) == NAMES


def test_the_inner_classifier_has_no_names(tmp_path):
    classifier = model_of_images().get_layer("classifier")
    with pytest.raises(ValueError, match=r"if `models.standalone` made it"):
        kfl.models.class_names_of(classifier)
    classifier.save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match=r"made it.*model\.keras"):
        kfl.models.class_names_of(tmp_path / "model.keras")


def test_other_files_are_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("cat")
    for path in (tmp_path / "notes.txt", 7):
        with pytest.raises(ValueError, match=r"path of a .keras.*Received"):
            kfl.models.class_names_of(path)
    with pytest.raises(FileNotFoundError, match=r"exists.*missing\.keras"):
        kfl.models.class_names_of(tmp_path / "missing.keras")


def test_damaged_files_are_refused(tmp_path):
    path = tmp_path / "model.keras"
    model_of_images().save(path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"complete.*Received.*model\.keras"):
        kfl.models.class_names_of(path)


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
