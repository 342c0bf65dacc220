import sys

import pytest

from keras_fewlabels.evaluation.load_functions import load_functions


def test_functions_by_name():
    functions = load_functions("perturbations")
    assert functions["tilt"].__name__ == "tilt"


@pytest.mark.parametrize("package", ["scipy", "PIL"])
def test_without_a_package(package, monkeypatch):
    for name in list(sys.modules):
        if name.startswith("keras_fewlabels.evaluation."):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        ImportError, match=r'pip install "keras-fewlabels\[evaluation\]"'
    ):
        load_functions("corruption_functions")
