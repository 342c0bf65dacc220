import os
import stat

import pytest

from keras_fewlabels.foundation.atomic_write import (
    atomic_write,
    remove_unfinished,
    writable_folder,
    write_whole,
)


def test_content_appears_at_the_end(tmp_path):
    path = tmp_path / "a.weights.h5"
    path.write_bytes(b"old")
    with atomic_write(path) as file:
        file.write(b"new")
        assert file.name.endswith(".weights.h5")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a.weights.h5"]


def test_nothing_is_left_of_a_failure(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), atomic_write(path) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_libraries_may_write_to_the_name(tmp_path):
    with atomic_write(tmp_path / "a.txt") as file, open(file.name, "wb") as own:
        own.write(b"by name")
    assert (tmp_path / "a.txt").read_bytes() == b"by name"


def test_a_link_is_replaced_not_followed(tmp_path):
    target = tmp_path / "target"
    target.write_text("untouched")
    (tmp_path / "link").symlink_to(target)
    write_whole(tmp_path / "link", "content")
    assert target.read_text() == "untouched"
    assert (tmp_path / "link").read_text() == "content"
    assert not (tmp_path / "link").is_symlink()


def test_others_may_read_what_the_umask_allows(tmp_path):
    write_whole(tmp_path / "a", "ü")
    assert (tmp_path / "a").read_bytes() == "ü".encode()
    expected = tmp_path / "b"
    expected.touch()
    modes = [stat.S_IMODE(os.stat(tmp_path / n).st_mode) for n in "ab"]
    assert modes[0] == modes[1]


def test_folder_is_created(tmp_path, monkeypatch):
    assert writable_folder(tmp_path / "a/b") == tmp_path / "a/b"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert writable_folder("~/c") == tmp_path / "c"
    assert (tmp_path / "c").is_dir() and not os.listdir(tmp_path / "c")


def test_errors(tmp_path):
    for wrong in (5, None, ""):
        expected = "`backup_dir` must be the path of a folder.*Received"
        with pytest.raises(ValueError, match=expected):
            writable_folder(wrong, "backup_dir")
    (tmp_path / "file").touch()
    expected = "`folder` must be a folder in which you may create files"
    with pytest.raises(FileExistsError, match=expected):
        writable_folder(tmp_path / "file")
    with pytest.raises(NotADirectoryError, match=expected):
        writable_folder(tmp_path / "file/below")


def test_only_unfinished_files_are_removed(tmp_path):
    remove_unfinished(tmp_path / "no such folder")
    write_whole(tmp_path / "a.npz", "whole")
    with pytest.raises(KeyboardInterrupt), atomic_write(tmp_path / "b.npz"):
        # As a killed process leaves it.
        (unfinished,) = set(tmp_path.iterdir()) - {tmp_path / "a.npz"}
        os.link(unfinished, unfinished.with_name(f"{unfinished.name}.npz"))
        raise KeyboardInterrupt
    assert len(os.listdir(tmp_path)) == 2
    remove_unfinished(tmp_path)
    assert os.listdir(tmp_path) == ["a.npz"]
