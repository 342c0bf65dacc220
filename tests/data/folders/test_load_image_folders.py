import json
import os
import shutil

import keras
import numpy as np
import pytest
from PIL import Image

import keras_fewlabels as kfl
from keras_fewlabels.data.folders import load_image_folders
from keras_fewlabels.loops.noisy_student.task import inspect_task

CLASSES = ["bee", "élan", "日本"]


@pytest.fixture
def folders(save, tmp_path):
    """Six images of each class, ten unlabelled ones, and a test folder."""
    for name in CLASSES:
        for number in range(6):
            save(f"labeled/{name}/{number} ñ.png", size=(16, 16))
    for number in range(10):
        save(f"pool/{number % 2}/{number}.png", size=(16, 16))
    for number in range(2):
        save(f"test/日本/{number}.png", size=(16, 16))
    return {
        "labeled": tmp_path / "labeled",
        "unlabeled": tmp_path / "pool",
        "test": tmp_path / "test",
    }


def load(folders, **options):
    return load_image_folders(**folders, **{"verbose": 0, **options})


def found(loaded, action="skipped"):
    """Set of kinds with the part and file of each."""
    return {
        (kind["kind"], file["part"], file["file"])
        for kind in loaded.findings.to_dict()[action]
        for file in kind["files"]
    }


def class_of(path):
    return CLASSES.index(os.path.basename(os.path.dirname(path)))


def test_parts_have_the_form_that_fit_noisy_student_takes(folders):
    loaded = load(folders)
    images, labels = loaded.labeled
    assert images.shape == (18, 16, 16, 3) and images.dtype == np.uint8
    assert labels.dtype == np.int64 and np.bincount(labels).tolist() == [6] * 3
    assert loaded.unlabeled.shape == (10, 16, 16, 3)
    assert isinstance(loaded.unlabeled, kfl.data.ImageFiles)
    assert isinstance(loaded.test[0], kfl.data.ImageFiles)
    assert loaded.test[1].tolist() == [2, 2]
    assert loaded.validation is None
    assert loaded.class_names == CLASSES
    assert loaded.findings.to_dict()["skipped"] == []
    # Each image is that of its file, with the class of its folder.
    paths = loaded.file_paths["labeled"]
    for path, image, label in zip(paths, images, labels, strict=True):
        np.testing.assert_array_equal(image, np.asarray(Image.open(path)))
        assert label == class_of(path)
    assert loaded.unlabeled.file_paths == loaded.file_paths["unlabeled"]


def test_the_order_follows_the_seed_and_mixes_the_classes(folders):
    first, again, other = (load(folders, seed=seed) for seed in (3, 3, 4))
    assert first.file_paths == again.file_paths
    np.testing.assert_array_equal(first.labeled[0], again.labeled[0])
    for part in "labeled", "unlabeled":
        assert first.file_paths[part] != sorted(first.file_paths[part])
        assert first.file_paths[part] != other.file_paths[part]
        assert set(first.file_paths[part]) == set(other.file_paths[part])
    assert first.file_paths["test"] == sorted(first.file_paths["test"])


def test_a_stratified_split(folders, save):
    for number in range(12):
        save(f"labeled/bee/more {number}.png", size=(16, 16))
    loaded = load(folders, validation_split=0.3, seed=1)
    counts = {
        part: np.bincount(pair[1]).tolist()
        for part, pair in (
            ("labeled", loaded.labeled),
            ("validation", loaded.validation),
        )
    }
    assert counts == {"labeled": [13, 4, 4], "validation": [5, 2, 2]}
    paths = loaded.file_paths
    assert len(set(paths["labeled"]) | set(paths["validation"])) == 30
    for part, (images, labels) in (
        ("labeled", loaded.labeled),
        ("validation", loaded.validation),
    ):
        assert labels.tolist() == [class_of(path) for path in paths[part]]
        np.testing.assert_array_equal(
            images[0], np.asarray(Image.open(paths[part][0]))
        )
    again = load(folders, validation_split=0.3, seed=1)
    assert again.file_paths == paths
    assert load(folders, validation_split=0.3).file_paths != paths


def test_planted_faults_are_named_and_the_rest_is_used(folders, save, tmp_path):
    labeled, pool = tmp_path / "labeled", tmp_path / "pool"
    truncated = save("labeled/bee/truncated.jpg", size=(90, 90))
    truncated.write_bytes(truncated.read_bytes()[:-1000])
    (labeled / "bee/text.jpg").write_text("no image")
    (labeled / "bee/nothing.png").touch()
    (labeled / "note.txt").write_text("by whom the labels are")
    (labeled / "bee/.DS_Store").write_bytes(b"hidden")
    os.symlink("..", labeled / "bee/loop")
    os.symlink("nowhere", pool / "gone.png")
    undecodable = os.fsdecode(bytes(pool) + b"/\xff.jpg")
    shutil.copy(truncated, undecodable)
    shutil.copy(labeled / "bee/0 ñ.png", tmp_path / "test/日本/copy.png")
    shutil.copy(labeled / "bee/0 ñ.png", pool / "copy.png")
    shutil.copy(labeled / "bee/1 ñ.png", labeled / "bee/twice.png")
    shutil.copy(labeled / "bee/2 ñ.png", labeled / "élan/doubt.png")
    save("pool/palette.gif", size=(16, 16))
    save("pool/print.jpg", "CMYK", size=(16, 16))
    save("pool/deep.png", "I;16", size=(16, 16))
    save("pool/clear.png", "RGBA", size=(16, 16))
    save("pool/grey.png", "L", size=(16, 16))
    loaded = load(folders)
    assert found(loaded) == {
        ("damaged", "labeled", "bee/truncated.jpg"),
        ("no image", "labeled", "bee/text.jpg"),
        ("empty", "labeled", "bee/nothing.png"),
        ("no class", "labeled", "note.txt"),
        ("folder link", "labeled", "bee/loop"),
        ("unreadable", "unlabeled", "gone.png"),
        ("damaged", "unlabeled", "\\xff.jpg"),
        ("in another part", "labeled", "bee/0 ñ.png"),
        ("in another part", "unlabeled", "copy.png"),
        ("copy", "labeled", "bee/twice.png"),
        ("two classes", "labeled", "bee/2 ñ.png"),
        ("two classes", "labeled", "élan/doubt.png"),
    }
    assert found(loaded, "used") == {
        ("palette", "unlabeled", "palette.gif"),
        ("CMYK", "unlabeled", "print.jpg"),
        ("16 bits", "unlabeled", "deep.png"),
        ("grey", "unlabeled", "deep.png"),
        ("transparent", "unlabeled", "clear.png"),
        ("grey", "unlabeled", "grey.png"),
    }
    # The classes keep their numbers, whatever was left out.
    assert loaded.class_names == CLASSES
    assert np.bincount(loaded.labeled[1]).tolist() == [4, 6, 6]
    assert loaded.test[1].tolist() == [2, 2, 2]
    assert len(loaded.unlabeled) == 15
    assert loaded.unlabeled[:].shape == (15, 16, 16, 3)
    # The report holds it, and a page shows it.
    details = loaded.findings.to_dict()
    assert json.loads(json.dumps(details)) == details
    str(loaded.findings).encode()


def test_indices_do_not_shift_with_a_class_that_is_missing(folders, save):
    # `test` has one class of three, `validation` has two; a folder that is
    # there without an image changes nothing.
    validation = save("validation/élan/0.png").parent.parent
    save("validation/日本/0.png")
    (validation / "bee").mkdir()
    loaded = load(folders, validation=validation)
    assert loaded.validation[1].tolist() == [1, 2]
    assert loaded.test[1].tolist() == [2, 2]
    notes = loaded.findings.notes
    assert "validation has no image of bee" in notes
    assert "test has no image of bee, élan" in notes


def test_test_and_validation_images_are_not_trained_on(folders, tmp_path):
    for name in ("labeled/bee/0 ñ.png", "labeled/bee/1 ñ.png"):
        target = tmp_path / "validation" / "bee" / os.path.basename(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tmp_path / name, target)
    shutil.copy(tmp_path / "labeled/bee/1 ñ.png", tmp_path / "test/日本")
    loaded = load(folders, validation=tmp_path / "validation")
    parts = {
        "labeled": loaded.labeled[0],
        "validation": loaded.validation[0],
        "test": loaded.test[0][:],
        "unlabeled": loaded.unlabeled[:],
    }
    seen = [image.tobytes() for part in parts.values() for image in part]
    assert len(set(seen)) == len(seen)
    assert [len(part) for part in parts.values()] == [16, 1, 3, 10]


@pytest.mark.parametrize("crop", [False, True])
def test_sizes_and_colours_as_asked_for(folders, crop):
    loaded = load(
        folders,
        image_size=(4, 8),
        color_mode="grayscale",
        crop_to_aspect_ratio=crop,
    )
    assert loaded.image_shape == (4, 8, 1)
    for images, part in (
        (loaded.labeled[0], "labeled"),
        (loaded.unlabeled, "unlabeled"),
        (loaded.test[0], "test"),
    ):
        expected = keras.utils.load_img(
            loaded.file_paths[part][-1],
            "grayscale",
            (4, 8),
            "bilinear",
            keep_aspect_ratio=crop,
        )
        np.testing.assert_array_equal(images[-1][..., 0], expected)


def test_one_folder_is_enough(folders):
    loaded = load({"labeled": folders["labeled"]})
    assert loaded.unlabeled is None and loaded.test is None
    assert list(loaded.file_paths) == ["labeled"]


def test_an_empty_class_is_refused_by_name(folders, tmp_path):
    (tmp_path / "labeled/aaa").mkdir()
    with pytest.raises(ValueError, match=r"can be used in \['aaa'\]"):
        load(folders)
    # A link to another class has nothing of its own.
    (tmp_path / "labeled/aaa").rmdir()
    os.symlink("bee", tmp_path / "labeled/aaa")
    with pytest.raises(ValueError, match=r"(?s)\['aaa'\].*folder link"):
        load(folders)


def test_too_much_for_memory_is_refused(folders):
    with pytest.raises(ValueError, match=r"`image_size`.*18 images.*GiB"):
        load(folders, image_size=20_000)


def test_a_split_needs_two_images_of_each_class(folders, tmp_path):
    for number in range(5):
        (tmp_path / f"labeled/bee/{number} ñ.png").unlink()
    with pytest.raises(ValueError, match=r"two labelled.*\[1, 6, 6\]"):
        load(folders, validation_split=0.2)


def test_a_fit_takes_it_as_it_is(folders):
    loaded = load(folders)

    def build():
        return keras.Sequential(
            [
                keras.Input(loaded.image_shape),
                keras.layers.Flatten(),
                keras.layers.Dense(loaded.num_classes),
            ]
        )

    task = inspect_task(build(), loaded.labeled, loaded.unlabeled)
    assert task.unlabeled.images is loaded.unlabeled
    assert (task.num_classes, len(task.unlabeled)) == (3, 10)
    assert task.value_range == (0, 255)
    assert task.check(loaded.test, "test_data")[0] is loaded.test[0]
