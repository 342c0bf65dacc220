import importlib.util
import json
import zipfile

import keras
import numpy as np
import pytest
from keras import layers

import keras_fewlabels as kfl
from keras_fewlabels.models.standalone.export_standalone import (
    ExportReport,
    _reason,
)

NAMES = ["cat", "sea/gull", "Käfer"]
RNG = np.random.default_rng(0)
SAMPLE = RNG.integers(0, 256, (3, 24, 20, 3), "uint8")
# What each format needs of the backend, and beside it.
HAS_LITERT = not keras.__version__.startswith("3.12.")
FORMATS = {
    "keras": ({"tensorflow", "jax", "torch"}, []),
    "saved_model": ({"tensorflow", "jax"}, ["tensorflow"]),
    "onnx": (
        {"tensorflow", "jax", "torch"},
        [
            *["onnx", "onnxruntime"],
            {
                "tensorflow": "tf2onnx",
                "jax": "jax2onnx",
                "torch": "onnxscript",
            }[keras.backend.backend()],
        ],
    ),
    "litert": ({"tensorflow"}, []),
}
# ONNX out of the other backends needs packages that are large.
TESTED = {
    "tensorflow": ["keras", "saved_model", "onnx", "litert"],
    "jax": ["keras", "saved_model"],
    "torch": ["keras"],
}


def model_of_images():
    classifier = keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            kfl.layers.RandAugment(value_range=(-1, 1)),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3),
        ]
    )
    # A converter that takes batch norm as in training would be off.
    classifier.set_weights(
        [w + RNG.uniform(0.1, 0.9, w.shape) for w in classifier.get_weights()]
    )
    return kfl.models.standalone(classifier, NAMES, value_range=(-1, 1))


def as_others_read_them(path):
    """The names in a file, read without this package."""
    if path.is_dir():
        return json.loads((path / "assets.extra/class_names.json").read_text())
    if path.suffix == ".tflite":
        return zipfile.ZipFile(path).read("labels.txt").decode().splitlines()
    if path.suffix == ".onnx":
        import onnxruntime

        meta = onnxruntime.InferenceSession(path).get_modelmeta()
        return json.loads(meta.custom_metadata_map["class_names"])
    model = keras.saving.load_model(path)
    return json.loads(model.get_layer("class_names").layers[0].name)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The folder and the report of an export in all formats."""
    folder = tmp_path_factory.mktemp("exported")
    # A file of an earlier export must not be taken for one of this.
    (folder / "model.onnx").write_bytes(b"old")
    model = model_of_images()
    return folder, kfl.models.export_standalone(model, folder, SAMPLE)


@pytest.mark.parametrize("name", TESTED[keras.backend.backend()])
def test_files_predict_and_name_as_keras_does(name, exported):
    folder, report = exported
    row = report.to_dict()[name]
    if name == "litert" and not HAS_LITERT:
        pytest.skip("needs Keras 3.13")
    assert row["note"] == ""
    assert row["difference"] < 1e-5
    path = folder / row["path"].rpartition("/")[2]
    assert 0 < row["megabytes"] < 1
    assert as_others_read_them(path) == NAMES
    assert kfl.models.class_names_of(row["path"]) == NAMES


def test_what_cannot_be_written_is_said(exported):
    folder, report = exported
    rows = report.to_dict()
    assert list(rows) == list(FORMATS)
    for name, row in rows.items():
        backends, needed = FORMATS[name]
        is_there = all(map(importlib.util.find_spec, needed))
        if name == "litert" and not HAS_LITERT:
            assert row["note"].startswith("not written: ")
            continue
        if keras.backend.backend() in backends and is_there:
            assert row["difference"] < 1e-5
        elif row["path"] is None:
            assert row["note"].startswith("not written: ")
    written = {row["path"] for row in report.rows if row["path"]}
    assert {str(path) for path in folder.iterdir()} == written


def test_one_format_again_over_an_earlier_export(tmp_path):
    model, folder = model_of_images(), tmp_path / "new" / "folder"
    for _ in range(2):
        report = kfl.models.export_standalone(
            model, folder, SAMPLE, formats=["keras"]
        )
    (row,) = report.rows
    assert row["difference"] < 1e-5
    assert [row["path"]] == [str(path) for path in folder.iterdir()]


@pytest.mark.parametrize(
    "error, expected",
    [
        (
            ModuleNotFoundError("No module", name="onnx"),
            "needs the package onnx",
        ),
        (ImportError("install it\nso"), "install it"),
        (KeyError("op"), "KeyError: 'op'"),
    ],
)
def test_reasons_are_one_line(error, expected):
    assert _reason(error) == expected


ROWS = [
    {
        "format": "keras",
        "path": "out/model.keras",
        "megabytes": 12.34,
        "difference": 0.0,
        "note": "",
    },
    {
        "format": "onnx",
        "path": None,
        "megabytes": None,
        "difference": None,
        "note": "not written: needs the packages onnx, tf2onnx",
    },
]


def test_table():
    assert str(ExportReport(ROWS)).splitlines() == [
        "format       MB      difference",
        "keras      12.3           0e+00  out/model.keras",
        "onnx                             "
        "not written: needs the packages onnx, tf2onnx",
    ]


def test_dict():
    table = ExportReport(ROWS).to_dict()
    assert json.loads(json.dumps(table)) == {
        "keras": ROWS[0],
        "onnx": ROWS[1],
    }


def test_saved(tmp_path):
    report = ExportReport(ROWS)
    report.save(tmp_path)
    saved = json.loads((tmp_path / "export.json").read_text())
    assert saved == report.to_dict()
    assert report.figure() is None
    assert [path.name for path in tmp_path.iterdir()] == ["export.json"]
