import pytest

from keras_fewlabels.loops.read_json import read_json


def test_what_was_written(tmp_path):
    file = tmp_path / "run.json"
    file.write_text('{"seed": [1, null]}')
    assert read_json(file, "unused") == {"seed": [1, None]}


@pytest.mark.parametrize("content", [b"", b'{"seed": ', b"\xff\xfe"])
def test_a_damaged_file_is_named_with_the_remedy(tmp_path, content):
    file = tmp_path / "run.json"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"run\.json is damaged .*remove it$"):
        read_json(file, "remove it")
