import errno
import os
import stat

import pytest

from keras_fewlabels.foundation.files.atomic_write import (
    atomic_write,
    paths_in,
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


LEFT = ".unfinished-fewlabels-"


def test_what_a_killed_process_left_goes_with_the_next_use(tmp_path):
    remove_unfinished(tmp_path / "no such folder")
    write_whole(tmp_path / "a.npz", "whole")
    (tmp_path / f"{LEFT}abc").mkdir()
    (tmp_path / f"{LEFT}abc" / "b.npz").touch()
    writable_folder(tmp_path)
    assert os.listdir(tmp_path) == ["a.npz"]


def test_files_that_are_being_written_stay(tmp_path):
    # A lock holds between two processes as it does within one.
    with atomic_write(tmp_path / "a.txt") as file:
        remove_unfinished(tmp_path)
        writable_folder(tmp_path)
        file.write(b"whole")
    assert (tmp_path / "a.txt").read_bytes() == b"whole"
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("plant", ["link to a folder", "link", "file"])
def test_what_others_plant_is_not_followed(tmp_path, plant):
    target = tmp_path / "target"
    target.mkdir()
    (target / "file").touch()
    planted = tmp_path / f"{LEFT}abc"
    if plant == "file":
        planted.touch()
    else:
        planted.symlink_to(target if "folder" in plant else target / "file")
    writable_folder(tmp_path)
    assert os.listdir(target) == ["file"]


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    write_whole(tmp_path / "a", "old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(tmp_path / "a", "new")
    assert (tmp_path / "a").read_text() == "old"
    assert os.listdir(tmp_path) == ["a"]


def test_paths_in_a_folder_that_another_process_may_remove(tmp_path):
    for name in ("a_1", "a_2", "b_1"):
        (tmp_path / name).touch()
    assert sorted(paths_in(tmp_path, "a_")) == [
        tmp_path / "a_1",
        tmp_path / "a_2",
    ]
    assert paths_in(tmp_path / "gone", "a_") == []
    assert paths_in(tmp_path / "a_1", "") == []
