import json

import pytest

from keras_fewlabels.loops.tuning.batch_sizes import BatchSizes

RULE = {
    "the best is far ahead": ({8: 100.0, 16: 190.0, 32: 360.0}, 32),
    "just enough": ({8: 899.0, 16: 900.0, 32: 1000.0}, 16),
    "flat from the start": ({8: 95.0, 16: 99.0, 32: 100.0}, 8),
    "slower again": ({8: 50.0, 16: 100.0, 32: 60.0}, 16),
    "a dip before the best": ({8: 91.0, 16: 70.0, 32: 100.0}, 8),
    "one": ({8: 7.0}, 8),
}


@pytest.mark.parametrize("case", RULE.values(), ids=RULE)
def test_suggests_the_knee(case):
    throughputs, suggestion = case
    assert BatchSizes(throughputs).suggestion == suggestion


def test_table():
    sizes = BatchSizes({8: 1234.56, 1024: 99.0}, out_of_memory=2048)
    assert str(sizes).splitlines() == [
        "batch size  images per second",
        "         8             1234.6  <- suggestion",
        "      1024               99.0",
        "      2048      out of memory",
    ]
    assert "out of memory" not in str(BatchSizes({8: 1.0}))


def test_files(tmp_path):
    sizes = BatchSizes({8: 250.0, 16: 470.0, 48: 500.0}, out_of_memory=64)
    sizes.save(tmp_path)
    assert json.loads((tmp_path / "batch_sizes.json").read_text()) == {
        "suggestion": 16,
        "throughputs": {"8": 250.0, "16": 470.0, "48": 500.0},
        "out_of_memory": 64,
    }
    assert (tmp_path / "batch_sizes.png").stat().st_size > 0
    (axes,) = sizes.figure().axes
    assert axes.get_title() == "470 images per second at 16"
