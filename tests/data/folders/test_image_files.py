import os
import pathlib
import pickle
import tracemalloc

import keras
import numpy as np
import pytest
from PIL import Image

import keras_fewlabels as kfl
from keras_fewlabels.callbacks.pseudo_labeler import label_pass
from keras_fewlabels.data.folders import ImageFiles


class OnDisk(ImageFiles):
    """Files that must not be read into memory as a whole."""

    def __array__(self, dtype=None, copy=None):
        raise AssertionError("all files were read")

    def __getitem__(self, key):
        images = super().__getitem__(key)
        assert images.ndim == 3 or len(images) < len(self)
        return images


@pytest.fixture
def paths(save):
    return [save(f"{number}.png") for number in range(23)]


@pytest.fixture
def images(paths):
    return np.stack(
        [
            keras.utils.img_to_array(keras.utils.load_img(path), dtype="uint8")
            for path in paths
        ]
    )


def build():
    model = keras.Sequential(
        [
            keras.Input((6, 5, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Flatten(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    return model


@pytest.mark.parametrize("cache_bytes", [0, 500, 2**30])
def test_indexed_like_the_array(paths, images, cache_bytes):
    files = ImageFiles(paths, (6, 5), cache_bytes=cache_bytes)
    assert files.shape == images.shape and files.dtype == images.dtype
    assert (len(files), files.ndim) == (23, 4)
    for key in (
        4,
        -1,
        slice(3, 9),
        slice(None, None, -5),
        slice(30, 40),
        [7, 7, 0],
        np.array([[1, 2], [-3, 1]], "int32"),
        np.arange(23) % 3 == 0,
    ):
        for _ in range(2):  # Once from disk, once out of the cache.
            np.testing.assert_array_equal(files[key], images[key])
    np.testing.assert_array_equal(np.asarray(files), images)
    assert np.asarray(files, "float32").dtype == np.float32
    with pytest.raises(IndexError):
        files[23]


def test_the_cache_is_never_larger_than_allowed(paths, images):
    files = ImageFiles(paths, (6, 5), cache_bytes=4 * images[0].nbytes + 7)
    files[[3, 9, 9, 1]]
    np.asarray(files)
    for path in paths:
        path.unlink()
    np.testing.assert_array_equal(files[[9, 1, 3]], images[[9, 1, 3]])
    kept = 0
    for number in range(23):
        try:
            np.testing.assert_array_equal(files[number], images[number])
            kept += 1
        except ValueError as error:
            assert str(paths[number]) in str(error)
    assert kept == 4


def test_survives_pickling(paths, images):
    files = pickle.loads(pickle.dumps(ImageFiles(paths, (6, 5))))
    np.testing.assert_array_equal(files[:], images)


def test_mixed_batches_are_those_of_the_array(paths, images):
    labeled = images[:5], np.arange(5) % 2
    mixed = [
        kfl.data.mix_labeled_unlabeled(labeled, unlabeled, 4, 3, seed=1)
        for unlabeled in (images, OnDisk(paths, (6, 5)))
    ]
    for parts in zip(*map(list_of, mixed), strict=True):
        for first, second in zip(*map(keras.tree.flatten, parts), strict=True):
            np.testing.assert_array_equal(first, second)


def test_pseudo_labeler_labels_the_same(paths, images, monkeypatch):
    # As if the files were larger than a piece may be.
    monkeypatch.setattr(label_pass, "_MOST_BYTES", 2000)
    labels, weights = [], []
    for unlabeled in images, OnDisk(paths, (6, 5)):
        keras.utils.set_random_seed(0)
        labeler = kfl.callbacks.PseudoLabeler(
            unlabeled, policy=kfl.policies.FixedThreshold(0.5), batch_size=4
        )
        labeled = images[:5], np.arange(5) % 2
        model = build()
        model.compile("sgd", "sparse_categorical_crossentropy")
        mixed = labeler.mixed_with(labeled, batch_size=8, seed=1)
        model.fit(mixed, epochs=2, callbacks=[labeler], verbose=0)
        labels.append(labeler.labels)
        weights.append(model.get_weights())
    np.testing.assert_array_equal(*labels)
    assert_same(*weights)
    assert labeler.to_dict()["file"].tolist() == [str(path) for path in paths]


def test_fit_noisy_student_learns_the_same(paths, images):
    settings = {"supervised_steps": 6, "student_steps": 6, "batch_size": 4}
    settings |= {"steps_per_epoch": 3, "validation_split": 0.0}
    labels = np.arange(23) % 2
    # More files than are looked at, which may be all of them.
    more = OnDisk(paths * 50, (6, 5))
    results = []
    for unlabeled, test in (
        (np.concatenate([images] * 50), images),
        (more, ImageFiles(paths, (6, 5))),
    ):
        model, report = kfl.loops.fit_noisy_student(
            build,
            (images[:6], labels[:6]),
            unlabeled,
            test_data=(test, labels),
            settings=settings,
            # RandAugment would be traced for seconds.
            noise=keras.layers.RandomFlip(seed=0),
            weak_noise=keras.layers.Identity(),
            verbose=0,
        )
        results.append((model.get_weights(), report.to_dict()["phases"]))
    assert_same(results[0][0], results[1][0])
    for first, second in zip(results[0][1], results[1][1], strict=True):
        assert first["test"] == second["test"]
        assert first["pseudo_labels"] == second["pseudo_labels"]


def test_errors(paths, tmp_path):
    with pytest.raises(ValueError, match="at least one file"):
        ImageFiles([], 8)
    with pytest.raises(ValueError, match=r"'rgb' or 'grayscale'"):
        ImageFiles(paths, 8, color_mode="rgba")
    paths[3].write_text("no image any more")
    files = ImageFiles(paths, 8)
    with pytest.raises(ValueError, match=r"load_image_folders.*3\.png"):
        files[:5]


def list_of(dataset):
    if isinstance(dataset, keras.utils.PyDataset):
        return [dataset[index] for index in range(len(dataset))]
    return list(dataset.as_numpy_iterator())


def assert_same(weights, others):
    for first, second in zip(weights, others, strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("numbers", [[4, 0], slice(3, 9), np.arange(23) > 20])
def test_subset_stays_on_disk(paths, images, numbers):
    files = OnDisk(paths, (6, 5), cache_bytes=500)
    subset = files.subset(numbers)
    assert isinstance(subset, ImageFiles)
    np.testing.assert_array_equal(np.asarray(subset), images[numbers])
    assert subset.file_paths == np.array(files.file_paths)[numbers].tolist()
    assert subset.cache_bytes == 500


def test_subset_is_read_as_the_files_are(paths):
    files = ImageFiles(paths, 3, "grayscale", crop_to_aspect_ratio=True)
    np.testing.assert_array_equal(files.subset([7, 2])[:], files[[7, 2]])


def test_images_without_a_veto_stay_on_disk(paths, images):
    rest = kfl.data.without_vetoed(OnDisk(paths, (6, 5)), [22, 1])
    assert isinstance(rest, ImageFiles)
    np.testing.assert_array_equal(rest[:], np.delete(images, [1, 22], axis=0))


def test_one_long_path_does_not_lengthen_the_others():
    paths = ["x" * 3500, *(f"{number}.png" for number in range(20_000))]
    tracemalloc.start()
    subset = ImageFiles(paths, 4).subset(np.arange(20_001) != 5)
    assert tracemalloc.get_traced_memory()[1] < 20 * 2**20
    tracemalloc.stop()
    assert subset.file_paths == paths[:5] + paths[6:]


def test_paths_in_the_home_folder_and_in_bytes(paths, images, monkeypatch):
    monkeypatch.setenv("HOME", str(paths[0].parent))
    for path in "~/0.png", pathlib.Path("~", "0.png"), os.fsencode(paths[0]):
        files = ImageFiles([path], (6, 5))
        assert files.file_paths == [str(paths[0])]
        np.testing.assert_array_equal(files[0], images[0])


def test_a_file_that_has_become_a_pipe_is_an_error(paths):
    files = ImageFiles(paths[:2], (6, 5))
    paths[1].unlink()
    os.mkfifo(paths[1])
    with pytest.raises(ValueError, match=r"1\.png.*not a regular file"):
        files[:]


def test_lines_of_one_pixel_are_cropped(tmp_path):
    for name, size in ("lying.png", (99, 1)), ("upright.png", (1, 99)):
        Image.new("RGB", size, (9, 8, 7)).save(tmp_path / name)
        for target in (4, 90), (90, 4):
            files = ImageFiles(
                [tmp_path / name], target, crop_to_aspect_ratio=True
            )
            assert (files[0] == (9, 8, 7)).all()
