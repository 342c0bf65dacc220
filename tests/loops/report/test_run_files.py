import json

import keras
import numpy as np

from keras_fewlabels.loops.noisy_student.examine import PoolLabels
from keras_fewlabels.loops.report.run_files import RunFiles, settings_json

POOL = PoolLabels(np.array([1, 0]), np.array([0.61234, 0.5]))
DETAILS = {
    "settings": {"threshold": 0.6},
    "seed": 3,
    "versions": {"keras": "3.15"},
    "data": {"class_names": None},
}


def test_pseudo_labels():
    table = RunFiles({}, None, POOL).pseudo_labels_csv(DETAILS)
    assert table.splitlines() == [
        "index,label,class,confidence,counts",
        "0,1,1,0.6123,1",
        "1,0,0,0.5000,0",
    ]
    assert RunFiles({}).pseudo_labels_csv(DETAILS) is None


def test_files_and_names_are_quoted_where_they_must():
    pool = PoolLabels(POOL.labels, POOL.confidence, ["a, b.jpg", "ü.jpg"])
    details = {**DETAILS, "data": {"class_names": ["cat", 'a "dog"']}}
    table = RunFiles({}, None, pool).pseudo_labels_csv(details)
    assert table.splitlines()[1:] == [
        '0,"a, b.jpg",1,"a ""dog""",0.6123,1',
        "1,ü.jpg,0,cat,0.5000,0",
    ]


def test_models(tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    RunFiles({"model": model, "last": model}).save_models(tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["last.keras", "model.keras"]
    loaded = keras.saving.load_model(tmp_path / "last.keras")
    np.testing.assert_array_equal(
        loaded.get_weights()[0], model.get_weights()[0]
    )


def test_settings_are_those_that_the_fit_takes():
    assert json.loads(settings_json(DETAILS)) == {
        "settings": {"threshold": 0.6},
        "seed": 3,
        "versions": {"keras": "3.15"},
    }
