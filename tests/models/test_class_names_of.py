import keras
import pytest

import keras_fewlabels as kfl

NAMES = ["cat", "sea/gull", "Käfer"]


def model_of_images():
    classifier = keras.Sequential(
        [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]
    )
    return kfl.models.standalone(classifier, NAMES, (4, 4), (0, 1))


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


@pytest.mark.parametrize("name", ["missing.keras", "notes.txt"])
def test_other_files_are_refused(name, tmp_path):
    (tmp_path / "notes.txt").write_text("cat")
    with pytest.raises(ValueError, match=r"path of a .keras.*Received"):
        kfl.models.class_names_of(tmp_path / name)
