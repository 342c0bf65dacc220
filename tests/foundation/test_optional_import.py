import json

import pytest

from keras_fewlabels.foundation.optional_import import optional_import


def test_returns_the_module():
    assert optional_import("json", "plots") is json


def test_says_how_to_install_what_is_missing():
    expected = (
        r"`no_such_module.part` is needed here and cannot be imported. Run "
        r'`pip install "keras-fewlabels\[plots\]"`.'
    )
    with pytest.raises(ImportError, match=expected):
        optional_import("no_such_module.part", "plots")
