import math

import numpy as np

from keras_fewlabels.data.folders.decode_image import COLOR_MODES
from keras_fewlabels.data.folders.examine_folders import examine_folders
from keras_fewlabels.data.folders.folder_checks import (
    check_folders,
    check_validation,
    checked_classes,
)
from keras_fewlabels.data.folders.image_files import ImageFiles
from keras_fewlabels.data.folders.image_folders import ImageFolders
from keras_fewlabels.data.folders.image_size import checked_image_size
from keras_fewlabels.data.split_labels import split_labels
from keras_fewlabels.foundation import (
    check_bool,
    check_choice,
    check_int,
    check_seed,
    check_verbose,
)

# The labelled images are kept in memory.
_MOST_BYTES = 4 * 2**30


def load_image_folders(
    labeled,
    unlabeled=None,
    *,
    validation=None,
    validation_split=None,
    test=None,
    image_size=None,
    color_mode="rgb",
    crop_to_aspect_ratio=False,
    seed=0,
    cache_bytes=2**30,
    verbose="auto",
):
    """Examines every file in folders of images, and reads the images.

    The classes are the folders in `labeled`, sorted by name. They are
    numbered in this order, whichever images are skipped. Every file is
    decoded once. The returned `findings` name and count what is skipped:

    - files that are empty, damaged or no images of a format that Pillow
      decodes by itself (JPEG, PNG, GIF, BMP, TIFF, WebP, PPM, JPEG 2000,
      AVIF), and links to folders that are read already;
    - duplicates, which are images with the same pixels. An image in `test` is
      removed from all other parts, an image in `validation` from `labeled`
      and `unlabeled`, and an image in `labeled` from `unlabeled`. Within a
      part one copy stays, but none of an image with two classes.

    The findings also name grey, transparent, CMYK, palette and 16-bit images
    and animations, which are converted as described at `ImageFiles`. Hidden
    files are skipped.

    Args:
        labeled: Path of a folder with a folder of images per class, which may
            have further folders in it. `~` is expanded in all paths.
        unlabeled: Optional path of a folder of images, which may be in
            folders within it.
        validation: Optional path of a folder as `labeled`. Classes may be
            missing.
        validation_split: Optional float in `(0, 0.5]`, the fraction of the
            labelled images that becomes the validation images, of each class
            alike. `fit_noisy_student` splits by itself if it gets neither.
        test: Optional path of a folder as `validation`.
        image_size: Optional int, or pair of ints `(height, width)`. By
            default the size of the images in `labeled` and `unlabeled`, if
            nine tenths of them have the same, shrunk to at most 224 pixels;
            otherwise a square of the median of their shorter sides, at most
            224 pixels.
        color_mode: `"rgb"` or `"grayscale"`.
        crop_to_aspect_ratio: Boolean. If `True`, the longer side is cropped
            at both ends, otherwise images of another shape are squeezed.
        seed: Int that fixes the split and the order of the images.
        cache_bytes: Int, the memory for decoded unlabelled images, in bytes.
        verbose: `"auto"`, 0, 1 or 2. 0 prints nothing, `"auto"` is 1, a
            progress bar and the findings.

    Returns:
        An `ImageFolders`: `labeled` (arrays), `unlabeled` (`ImageFiles`,
        streamed from disk), `test` (`ImageFiles` and labels), `validation`
        (arrays), `class_names`, `file_paths` and `findings`.

    Raises:
        ValueError: If a folder does not exist or lies in another, there are
            fewer than two classes, or the folders of the classes are those of
            parts ("train", "test"), a class has no labelled image that can be
            used, `test` or `validation` has a class that `labeled` has not,
            or the labelled images need more than 4 GiB.
        ImportError: If Pillow is not installed.

    Example:

    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> image = np.arange(48, dtype="uint8").reshape(4, 4, 3)
    >>> for number, name in enumerate(("daisy/1", "daisy/2", "rose/1")):
    ...     path = folder / f"{name}.png"
    ...     path.parent.mkdir(exist_ok=True)
    ...     keras.utils.save_img(path, image + number, scale=False)
    >>> (folder / "rose/2.jpg").write_text("not a rose")
    10
    >>> folders = keras_fewlabels.data.load_image_folders(folder, verbose=0)
    >>> folders.class_names, folders.image_shape, len(folders.labeled[0])
    (['daisy', 'rose'], (4, 4, 3), 3)
    >>> folders.findings.to_dict()["skipped"][0]["files"]
    [{'part': 'labeled', 'file': 'rose/2.jpg', 'detail': ''}]
    """
    check_validation(validation, validation_split)
    check_seed(seed)
    verbose = check_verbose(verbose)
    _check_reading(color_mode, crop_to_aspect_ratio, cache_bytes)
    if image_size is not None:
        image_size = checked_image_size(image_size)
    # Those come first whose images must not be trained on.
    roots = {"test": test, "validation": validation}
    roots = check_folders(roots | {"labeled": labeled, "unlabeled": unlabeled})
    class_names = checked_classes(roots)
    images, findings = examine_folders(
        roots, class_names, image_size, color_mode, verbose
    )
    if validation_split is not None:
        images |= _split(images["labeled"], validation_split, seed)
    for part in images.keys() & {"labeled", "unlabeled"}:
        images[part] = _shuffled(images[part], seed)
    files = {
        part: ImageFiles(
            [image.path for image in found],
            findings.image_size,
            color_mode,
            crop_to_aspect_ratio=crop_to_aspect_ratio,
            cache_bytes=cache_bytes if part == "unlabeled" else 0,
        )
        for part, found in images.items()
    }
    pairs = {
        part: _with_labels(files[part], images[part], in_memory=part != "test")
        for part in files.keys() - {"unlabeled"}
    }
    return ImageFolders(
        labeled=pairs["labeled"],
        unlabeled=files.get("unlabeled"),
        test=pairs.get("test"),
        validation=pairs.get("validation"),
        class_names=class_names,
        file_paths={part: files[part].file_paths for part in files},
        findings=findings,
    )


def _check_reading(color_mode, crop_to_aspect_ratio, cache_bytes):
    check_choice(color_mode, "color_mode", tuple(COLOR_MODES))
    check_bool(crop_to_aspect_ratio, "crop_to_aspect_ratio")
    check_int(cache_bytes, "cache_bytes", 0)


def _shuffled(images, seed):
    # A fit inspects the first images, which must not be all of one class.
    order = np.random.default_rng(seed).permutation(len(images))
    return [images[number] for number in order]


def _with_labels(files, images, in_memory):
    labels = np.array([image.label for image in images], "int64")
    return _in_memory(files) if in_memory else files, labels


def _split(images, fraction, seed):
    """Splits labelled images, with some of each class in both parts."""
    labels = np.array([image.label for image in images])
    counts = np.bincount(labels)
    if counts.min() < 2:
        raise ValueError(
            "Each class needs two labelled images, one of them for "
            "validation. Label more, or leave `validation_split` out. "
            f"Received: {counts.tolist()} images of the classes"
        )
    numbers = np.arange(len(images)).reshape(-1, 1, 1, 1)
    num_validation = max(len(counts), round(fraction * len(images)))
    (chosen, _), rest, _ = split_labels(
        numbers, labels, num_validation, seed=seed
    )
    return {
        "labeled": [images[number] for number in rest.flat],
        "validation": [images[number] for number in chosen.flat],
    }


def _in_memory(files):
    num_bytes = math.prod(files.shape)
    if num_bytes > _MOST_BYTES:
        raise ValueError(
            "Labelled images are kept in memory. Pass a smaller `image_size`, "
            "or fewer images. (`unlabeled` is streamed from disk.) Received: "
            f"{len(files):,} images of shape {files.shape[1:]}, "
            f"{num_bytes / 2**30:.1f} GiB"
        )
    return np.asarray(files)
