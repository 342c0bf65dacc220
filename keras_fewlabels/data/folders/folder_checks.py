"""Checks of folders of images, before and after they are examined."""

import os
import pathlib

from keras_fewlabels.data.folders.find_files import class_folders
from keras_fewlabels.foundation import check_number, folder_path

# Names of folders that hold the folders of the classes.
_PARTS = {
    *{"labeled", "labelled", "unlabeled", "unlabelled", "train", "training"},
    *{"val", "valid", "validation", "dev", "test", "testing", "images"},
}


def check_folders(folders):
    """Checks that folders exist and lie beside one another.

    Args:
        folders: Dict of arguments to paths, in which `~` is expanded. A path
            may be `None`.

    Returns:
        Dict of arguments to strings, without those that are `None`.

    Raises:
        ValueError: If a folder does not exist, or lies in another one, or that
            of the labelled images is `None`.
    """
    roots = {}
    for argument, folder in folders.items():
        if folder is None:
            if argument == "labeled":
                raise ValueError(
                    "`labeled` must be the path of a folder that holds a "
                    "folder for each class. Received: labeled=None"
                )
            continue
        roots[argument] = str(folder_path(folder, argument))
        if not os.path.isdir(roots[argument]):
            raise ValueError(
                f"`{argument}` must be the path of a folder that exists. "
                f"Received: {argument}={folder!r}"
            )
        inner = pathlib.Path(roots[argument]).resolve()
        for other in roots.keys() - {argument}:
            outer = pathlib.Path(roots[other]).resolve()
            if inner.is_relative_to(outer) or outer.is_relative_to(inner):
                raise ValueError(
                    "Each part must have a folder of its own, beside the "
                    "others, or the same images would be in two. Received: "
                    f"{other}={roots[other]!r}, {argument}={folder!r}"
                )
    return roots


def checked_classes(roots):
    """Returns the classes, which are the folders in the labelled folder.

    Args:
        roots: Dict of parts to folders.

    Returns:
        List of strings, sorted.

    Raises:
        ValueError: If there are fewer than two classes, two folders have the
            same name, or the validation or test folder has another class.
    """
    names = class_folders(roots["labeled"])
    _check_level(names, roots["labeled"])
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
            f"that are the same when accents are stored alike: {twice}"
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


def _check_level(names, root):
    """Checks that the folders of classes are not those of the parts."""
    parts = [
        name
        for name in names
        if name.lower() in _PARTS and class_folders(os.path.join(root, name))
    ]
    is_surely_none = any("label" in name.lower() for name in parts)
    if len(parts) > 1 or is_surely_none or (parts and len(names) == 1):
        raise ValueError(
            "`labeled` must hold a folder for each class, but these look like "
            "folders of folders of classes. Pass each part by itself, such as "
            f"`labeled={os.path.join(root, parts[0])!r}`. Received: "
            f"labeled={root!r} with the folders {names}"
        )


def check_validation(validation, validation_split):
    """Checks that validation images have one source at most.

    Raises:
        ValueError: If there is both a folder and a fraction, or the fraction
            is not in `(0, 0.5]`.
    """
    check_number(
        validation_split, "validation_split", "(0, 0.5]", optional=True
    )
    if None not in (validation, validation_split):
        raise ValueError(
            "Give either a folder `validation` or a `validation_split`. "
            f"Received: validation={validation!r}, "
            f"validation_split={validation_split!r}"
        )


def check_images_left(images, class_names, findings):
    """Checks that all parts and classes have images that can be used.

    Args:
        images: Dict of parts to lists of `FoundImage`.
        class_names: List of strings.
        findings: `FolderFindings`, which the error shows.

    Raises:
        ValueError: If a part has no image, or a class no labelled image.
    """
    for part, found in images.items():
        if not found:
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
