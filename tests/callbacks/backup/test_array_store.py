import pathlib
import warnings

import numpy as np
import pytest

from keras_fewlabels.callbacks.backup.array_store import ArrayStore

ARRAYS = {
    "labels": np.array([3, -1, 2]),
    "confidence": np.array([0.5, 0.25, 0.75], "float32"),
    "history": np.array('{"rounds": []}'),
}


def test_reads_what_was_written_under_its_fingerprint(tmp_path):
    store = ArrayStore(tmp_path / "new" / "folder")
    store.write("round_1", "abc", ARRAYS)
    arrays = store.read("round_1", "abc")
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype
    assert store.read("round_1", "other") is None
    assert store.read("round_2", "abc") is None
    store.write("round_1", "abc", {"labels": np.zeros(2)})
    assert store.read("round_1", "abc").keys() == {"labels"}


def test_names_and_removal(tmp_path):
    store = ArrayStore(tmp_path)
    # Of the user.
    (tmp_path / "round_1.npz").touch()
    (tmp_path / "labels_train.npz").touch()
    labels = f"labels_{'0a' * 8}_00001"
    for name in ("round_00002", labels, "round_00001"):
        store.write(name, "abc", ARRAYS)
    assert store.names("round_") == ["round_00001", "round_00002"]
    store.remove(["round_00001", "never there"])
    assert store.names("round_") == ["round_00002"]
    assert store.names("labels_") == [labels]
    # Nothing but finished files is left in the folder.
    assert len(list(tmp_path.iterdir())) == 4


def test_a_damaged_file_is_named_and_counts_as_missing(tmp_path):
    store = ArrayStore(tmp_path)
    store.write("round_1", "abc", ARRAYS)
    path = tmp_path / "round_1.npz"
    intact = path.read_bytes()
    random = np.random.default_rng(0)
    damaged = [intact[:size] for size in (0, 10, len(intact) // 2, -1)]
    for place in random.integers(0, len(intact), 60):
        flipped = bytearray(intact)
        flipped[place] ^= 1 << random.integers(8)
        damaged.append(bytes(flipped))
    num_named = 0
    for content in damaged:
        path.write_bytes(content)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            arrays = store.read("round_1", "abc")
        num_named += any("round_1.npz is damaged" in str(w) for w in caught)
        if arrays is None:
            continue
        # A bit outside of the arrays, such as one of the date.
        for name, array in ARRAYS.items():
            np.testing.assert_array_equal(arrays[name], array)
    assert num_named > 40


def test_pickles_are_not_read(tmp_path):
    np.savez(tmp_path / "round_1.npz", labels=np.array([{}], object))
    with pytest.warns(UserWarning, match="round_1.npz is damaged.*compu"):
        assert ArrayStore(tmp_path).read("round_1", "abc") is None


def test_another_process_removes_the_empty_folder(tmp_path, monkeypatch):
    store = ArrayStore(tmp_path / "store")
    mkdir = pathlib.Path.mkdir

    def create_and_lose(path, *args, **options):
        mkdir(path, *args, **options)
        path.rmdir()
        monkeypatch.undo()

    monkeypatch.setattr(pathlib.Path, "mkdir", create_and_lose)
    store.write("part_00001", "me", {"x": np.arange(3)})
    assert store.read("part_00001", "me")["x"].tolist() == [0, 1, 2]
