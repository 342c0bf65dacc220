import json

from keras_fewlabels.models.export_report import ExportReport

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
        "format       MB  off by at most",
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
