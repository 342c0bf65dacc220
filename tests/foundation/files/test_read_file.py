import os
import pathlib

import pytest

from keras_fewlabels.foundation import open_file, read_text
from keras_fewlabels.foundation.files import read_file as module


def test_strings_paths_bytes_and_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    file = tmp_path / "text.txt"
    file.write_bytes("\ufeffrose\r\n".encode())
    for path in (file, str(file), os.fsencode(file), "~/text.txt"):
        assert read_text(path, "file", "text") == "rose\r\n"
    with open_file(pathlib.Path("~", "text.txt")) as opened:
        assert opened.read(6) == b"\xef\xbb\xbfros"


def test_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(OSError, match="not a regular file"):
            open_file(path)


def test_folders_and_missing_files(tmp_path):
    with pytest.raises(OSError, match="not a regular file"):
        open_file(tmp_path)
    with pytest.raises(FileNotFoundError):
        open_file(tmp_path / "none")
    for path in (tmp_path / "none", tmp_path, 3, "a\0b"):
        with pytest.raises(ValueError, match=r"`file` must be text\. Received"):
            read_text(path, "file", "text")


def test_files_too_large_to_be_read(tmp_path, monkeypatch):
    (tmp_path / "long").write_bytes(b"12345")
    with pytest.raises(OSError, match="larger than 4 bytes"):
        open_file(tmp_path / "long", most_bytes=4)
    monkeypatch.setattr(module, "_MOST_TEXT", 4)
    with pytest.raises(ValueError, match=r"`file` must.*larger than 4"):
        read_text(tmp_path / "long", "file", "text")
