"""Checks that wrong arguments raise before anything happens."""

import pytest

import keras_fewlabels as kfl
from bad_input import IMAGES, check_refused, mix, parameters


def load_folders(labeled="folders/labeled", **options):
    kfl.data.load_image_folders(labeled, **{"verbose": 0, **options})


# Name: (expected in the message, the call that must raise).
CASES = {
    "load_image_folders: no labelled folder": (
        "`labeled` must be the path of a folder",
        lambda: kfl.data.load_image_folders(None),
    ),
    "load_image_folders: folder that is not there": (
        "`labeled` must be the path of a folder that exists",
        lambda: load_folders("missing"),
    ),
    "load_image_folders: file instead of a folder": (
        "`unlabeled` must be the path of a folder that exists",
        lambda: load_folders(unlabeled="file"),
    ),
    "load_image_folders: images instead of a folder": (
        "`unlabeled` must be the path of a folder",
        lambda: load_folders(unlabeled=IMAGES),
    ),
    "load_image_folders: the same folder twice": (
        "must have a folder of its own",
        lambda: load_folders(unlabeled="folders/../folders/labeled"),
    ),
    "load_image_folders: folder within another": (
        "must have a folder of its own",
        lambda: load_folders(test="folders/labeled/bee"),
    ),
    "load_image_folders: no folder per class": (
        "`labeled` must hold a folder for each class",
        lambda: load_folders("folders/labeled/bee"),
    ),
    "load_image_folders: class that labelled images lack": (
        "folder in `test` must be named as one in `labeled`",
        lambda: load_folders(test="folders/test"),
    ),
    "load_image_folders: class without images": (
        "Each class needs at least one labelled image",
        lambda: load_folders(),
    ),
    "load_image_folders: size of another type": (
        "`image_size` must be an int",
        lambda: load_folders(image_size="large"),
    ),
    "load_image_folders: three sizes": (
        r"`image_size` must be an int, or a pair of ints \(height, width\)",
        lambda: load_folders(image_size=(8, 8, 3)),
    ),
    "load_image_folders: colours that are not read": (
        "`color_mode` must be 'rgb' or 'grayscale'",
        lambda: load_folders(color_mode="rgba"),
    ),
    "load_image_folders: split that leaves nothing": (
        "`validation_split` must be a number in .0, 0.5.",
        lambda: load_folders(validation_split=1.0),
    ),
    "load_image_folders: split beside a folder": (
        "either a folder `validation` or a `validation_split`",
        lambda: load_folders(validation="folders/test", validation_split=0.2),
    ),
    "load_image_folders: negative seed": (
        "`seed` must be",
        lambda: load_folders(seed=-1),
    ),
    "load_image_folders: negative cache": (
        "`cache_bytes` must be an int, 0 or more",
        lambda: load_folders(cache_bytes=-1),
    ),
    "ImageFiles: no files": (
        "needs at least one file",
        lambda: kfl.data.ImageFiles([], 8),
    ),
    "ImageFiles: no size": (
        "`image_size` must be an int",
        lambda: kfl.data.ImageFiles(["file"], None),
    ),
    "ImageFiles: colours that are not read": (
        "`color_mode` must be 'rgb' or 'grayscale'",
        lambda: kfl.data.ImageFiles(["file"], 8, "bgr"),
    ),
    "ImageFiles: file that is no image": (
        "must be an image that Pillow can read",
        lambda: kfl.data.ImageFiles(["file"], 8)[:1],
    ),
    "ImageFiles: size of other images": (
        "same height, width and channels",
        lambda: mix(unlabeled=kfl.data.ImageFiles(["file"], 8)),
    ),
    "ImageFiles: one path": (
        "`paths` must be a sequence of paths",
        lambda: kfl.data.ImageFiles("file", 8),
    ),
}


@pytest.mark.parametrize("message, do_wrong", parameters(CASES))
def test_refused_before_anything_happens(
    message, do_wrong, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    check_refused(message, do_wrong, tmp_path)
