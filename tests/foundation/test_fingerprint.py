import keras
import numpy as np
import pytest
from keras import layers

from keras_fewlabels.foundation.fingerprint import (
    essential_config,
    file_fingerprint,
    fingerprint,
)

PARTS = [np.arange(4), "a", 1, 1.0, ["a", "b"], {"a": 1}, None]


def test_every_part_counts():
    prints = [fingerprint(part) for part in PARTS]
    prints += [
        fingerprint(np.arange(4).reshape(2, 2)),
        fingerprint(np.arange(4).astype("int32")),
        fingerprint("a", "b"),
        fingerprint({"a": 2}),
        fingerprint({"b": 1}),
    ]
    assert len(set(prints)) == len(prints)
    assert fingerprint(*PARTS) == fingerprint(*PARTS)


def test_file(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert file_fingerprint(tmp_path / "a").startswith("ba7816bf8f01cfea")


@pytest.mark.parametrize(
    "build",
    [
        lambda: keras.Sequential([layers.Dropout(0.5), layers.Dense(2)]),
        lambda: layers.Dense(3),
    ],
)
def test_names_do_not_count(build):
    first, second = build(), build()
    assert first.name != second.name
    assert essential_config(first) == essential_config(second)


def test_arguments_count():
    rates = [essential_config(layers.Dropout(rate)) for rate in (0.1, 0.2)]
    assert rates[0] != rates[1]
    assert essential_config(None) is None
