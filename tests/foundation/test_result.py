import json

import pytest
from matplotlib.figure import Figure

from keras_fewlabels.foundation.result import Result, as_json


class Answer(Result):
    file_name = "answer"

    def __init__(self, number):
        self.number = number

    def to_dict(self):
        return {"number": self.number}

    def figure(self, width=None):
        if width == 0:
            raise ValueError("no width")
        return None if self.number is None else Figure((width or 6, 4))

    def _write_tables(self, folder, **options):
        (folder / "table.csv").write_text(str(self.number))


def test_save_writes_dict_and_figure(tmp_path):
    Answer(42).save(tmp_path / "new")
    assert json.loads((tmp_path / "new/answer.json").read_text()) == {
        "number": 42
    }
    assert (tmp_path / "new/answer.png").read_bytes().startswith(b"\x89PNG")


def test_json_has_a_line_per_entry():
    content = {"a": [1, 2.5, None], 'q"': {"b": "\udce9"}, "c": []}
    text = as_json(content)
    assert json.loads(text) == content
    assert text.splitlines()[1] == '"a": [1, 2.5, null],'
    assert len(text.splitlines()) == 5
    assert json.loads(as_json({})) == {}


def test_an_earlier_figure_is_removed(tmp_path):
    Answer(42).save(tmp_path)
    Answer(None).save(tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"answer.json", "table.csv"}


def test_options_are_those_of_the_figure_and_checked_before_writing(tmp_path):
    with pytest.raises(ValueError, match="no width"):
        Answer(42).save(tmp_path / "new", width=0)
    assert not (tmp_path / "new").exists()
    Answer(42).save(tmp_path, width=1)
    narrow = (tmp_path / "answer.png").stat().st_size
    Answer(42).save(tmp_path, width=30)
    assert (tmp_path / "answer.png").stat().st_size > narrow


def test_dict_is_saved_without_matplotlib(tmp_path, monkeypatch):
    def figure(self):
        raise ImportError("matplotlib")

    monkeypatch.setattr(Answer, "figure", figure)
    with pytest.raises(ImportError, match="matplotlib"):
        Answer(42).save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["answer.json"]


def test_errors(tmp_path):
    with pytest.raises(AttributeError, match="Result must define `to_dict`"):
        Result().save(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError, match="may create files"):
        Answer(1).save(tmp_path / "file")
