import json

import pytest
from matplotlib.figure import Figure

from keras_fewlabels.foundation.result import Result


class Answer(Result):
    file_name = "answer"

    def __init__(self, number):
        self.number = number

    def to_dict(self):
        return {"number": self.number}

    def figure(self):
        return None if self.number is None else Figure()


def test_save_writes_dict_and_figure(tmp_path):
    Answer(42).save(tmp_path / "new")
    assert json.loads((tmp_path / "new/answer.json").read_text()) == {
        "number": 42
    }
    assert (tmp_path / "new/answer.png").read_bytes().startswith(b"\x89PNG")


def test_an_earlier_figure_goes(tmp_path):
    Answer(42).save(tmp_path)
    Answer(None).save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["answer.json"]


def test_errors(tmp_path):
    with pytest.raises(AttributeError, match="Result must define `to_dict`"):
        Result().save(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError, match="may create files"):
        Answer(1).save(tmp_path / "file")
