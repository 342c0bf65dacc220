import json
import os
import sys
import zipfile

import keras
import numpy as np
import pytest

import keras_fewlabels as kfl
from keras_fewlabels.models.standalone.class_names_of import (
    name_classes,
    names_in_config,
)

NAMES = ["cat", "sea/gull", "Käfer"]
# The package has a function of the name of the file.
FILE = sys.modules[name_classes.__module__]


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


def archive(path, name, content):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, content)
    return path


def config_of(names):
    layer = {"config": {"name": "class_names", "input_layers": names}}
    return json.dumps({"config": {"layers": [layer]}})


DAMAGED = {
    "no archive": lambda path: path.write_bytes(b"PK\3\4 cut"),
    "empty": lambda path: path.touch(),
    "no config": lambda path: archive(path, "other.json", "{}"),
    "no JSON": lambda path: archive(path, "config.json", "{"),
    "no text": lambda path: archive(path, "config.json", b"\xff\xfe\0"),
    "a list": lambda path: archive(path, "config.json", "[]"),
    "null": lambda path: archive(path, "config.json", '{"config": null}'),
    "layers": lambda path: archive(
        path, "config.json", '{"config": {"layers": [1]}}'
    ),
    "no names": lambda path: archive(path, "config.json", config_of([])),
    "names are no JSON": lambda path: archive(
        path, "config.json", config_of([["cat", 0, 0]])
    ),
    "names are numbers": lambda path: archive(
        path, "config.json", config_of(["[1, 2]"])
    ),
    "one name": lambda path: archive(path, "config.json", config_of(['"cat"'])),
    "deep": lambda path: archive(path, "config.json", 100_000 * "["),
    "large": lambda path: archive(path, "config.json", 9 * 2**20 * b" "),
}


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED)
def test_damaged_files_are_refused_by_name(tmp_path, damage, monkeypatch):
    monkeypatch.setattr(FILE, "_MOST_BYTES", 2**20)
    path = tmp_path / "model.keras"
    damage(path)
    with pytest.raises(ValueError, match=r"complete.*Received.*model\.keras"):
        kfl.models.class_names_of(path)


@pytest.mark.parametrize(
    "name, content",
    [
        ("model.tflite", b"PK\5\6" + 18 * b"\0"),
        ("model.onnx", b"\x08\xff\xff"),
        ("model.onnx", b"\xff" * 99),
    ],
)
def test_other_damaged_files_are_refused_by_name(tmp_path, name, content):
    if name.endswith("onnx"):
        pytest.importorskip("onnx")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"complete.*Received.*{name}"):
        kfl.models.class_names_of(tmp_path / name)


def test_a_damaged_saved_model_is_refused_by_name(tmp_path):
    (tmp_path / "assets.extra").mkdir()
    for content in b"[", b"\xff", b'{"a": 1}', 100_000 * b"[":
        (tmp_path / "assets.extra" / "class_names.json").write_bytes(content)
        with pytest.raises(ValueError, match=f"complete.*{tmp_path.name}"):
            kfl.models.class_names_of(tmp_path)


def test_a_pipe_is_no_model(tmp_path):
    for name in "pipe.keras", "pipe.tflite", "pipe.onnx":
        os.mkfifo(tmp_path / name)
        with pytest.raises(ValueError, match=f"{name}.*not a regular file"):
            kfl.models.class_names_of(tmp_path / name)


def test_a_file_that_is_cut(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "model.keras"
    model = named(["cat", "dog"])
    model.save(path)
    for each in path, "~/model.keras", os.fsencode(path):
        assert kfl.models.class_names_of(each) == ["cat", "dog"]
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
