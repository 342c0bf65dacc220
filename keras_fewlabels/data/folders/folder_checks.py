"""What folders of images must be like before they are read."""

import numbers
import os

from keras_fewlabels.data.folders.decode_image import COLOR_MODES
from keras_fewlabels.data.folders.find_files import class_folders
from keras_fewlabels.foundation.arguments import check_int


def check_folders(folders):
    """Refuses what is no folder, and folders inside one another.

    Args:
        folders: Dict of arguments to paths, or `None` where none is given.

    Returns:
        Dict of the arguments that are given to strings.

    Raises:
        ValueError: If a folder does not exist, or is part of another.
    """
    roots = {}
    for argument, folder in folders.items():
        if folder is None:
            continue
        is_path = isinstance(folder, (str, os.PathLike))
        if not (is_path and os.path.isdir(folder)):
            raise ValueError(
                f"`{argument}` must be the path of a folder that exists. "
                f"Received: {argument}={folder!r}"
            )
        roots[argument] = os.fspath(folder)
        inner = os.path.realpath(folder)
        for other in roots.keys() - {argument}:
            outer = os.path.realpath(roots[other])
            if os.path.commonpath([inner, outer]) in (inner, outer):
                raise ValueError(
                    "Each part must have a folder of its own, beside the "
                    "others, or the same images would be in two. Received: "
                    f"{other}={roots[other]!r}, {argument}={folder!r}"
                )
    return roots


def checked_classes(roots):
    """The classes of the labelled folder, from which all others take theirs.

    Args:
        roots: Dict of parts to folders.

    Returns:
        List of strings, sorted.

    Raises:
        ValueError: If there are fewer than two classes, two folders have one
            name, or validation or test images have a class of their own.
    """
    names = class_folders(roots["labeled"])
    if len(names) < 2:
        raise ValueError(
            "`labeled` must hold a folder for each class, two or more, with "
            "the labelled images of that class. Received: "
            f"labeled={roots['labeled']!r} with the folders {names}"
        )
    if len(set(names)) < len(names):
        twice = [name for name in names if names.count(name) > 1]
        raise ValueError(
            "Each class must have one folder in `labeled`. Received: folders "
            f"whose names differ only in how accents are stored: {twice}"
        )
    for part in {"validation", "test"} & roots.keys():
        unknown = sorted(set(class_folders(roots[part])) - set(names))
        if unknown:
            raise ValueError(
                f"Each folder in `{part}` must be named as one in `labeled`; "
                "classes are numbered by those. Received: the folders "
                f"{unknown} in {part}={roots[part]!r}, where labeled has "
                f"{names}"
            )
    return names


def check_reading(color_mode, validation, validation_split, cache_bytes):
    """Refuses arguments that say how to read folders, and cannot be met."""
    if color_mode not in COLOR_MODES:
        raise ValueError(
            f"`color_mode` must be one of {tuple(COLOR_MODES)}. "
            f"Received: color_mode={color_mode!r}"
        )
    check_int(cache_bytes, "cache_bytes", 0)
    if validation_split is None:
        return
    if validation is not None:
        raise ValueError(
            "Give either a folder `validation` or a `validation_split`. "
            f"Received: validation={validation!r}, "
            f"validation_split={validation_split!r}"
        )
    is_number = isinstance(validation_split, numbers.Real)
    if not (is_number and 0 < validation_split <= 0.5):
        raise ValueError(
            "`validation_split` must be a fraction of at most 0.5. "
            f"Received: validation_split={validation_split!r}"
        )


def check_images_left(images, class_names, findings):
    """Refuses parts without images, and classes without labelled ones.

    Args:
        images: Dict of parts to lists of `FoundImage`.
        class_names: List of strings.
        findings: `FolderFindings` of what was left out, to be shown.

    Raises:
        ValueError: If nothing is left of a part or a class.
    """
    for part, left in images.items():
        if not left:
            raise ValueError(
                f"`{part}` must hold images that can be used. Received:\n"
                f"{findings}"
            )
    labels = {image.label for image in images["labeled"]}
    empty = [
        name for number, name in enumerate(class_names) if number not in labels
    ]
    if empty:
        raise ValueError(
            "Each class needs at least one labelled image. Add some, or "
            "remove the folder, and the class with it. Received: no image "
            f"that can be used in {empty}\n{findings}"
        )
