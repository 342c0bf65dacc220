"""Folders of images, looked at as a whole."""

import collections
import os

import keras

from keras_fewlabels.data.drop_copies import drop_copies
from keras_fewlabels.data.examine_images import examine_images
from keras_fewlabels.data.find_files import class_name, find_files, shown
from keras_fewlabels.data.finding import Finding
from keras_fewlabels.data.folder_checks import check_images_left
from keras_fewlabels.data.folder_findings import FolderFindings
from keras_fewlabels.data.image_size import common_image_size, unusual_sizes

# A class of fewer labelled images than this is worth a note.
_FEW = 5


def examine_folders(roots, class_names, image_size, color_mode, verbose):
    """Finds the images of all parts, and what a user should know of them.

    Args:
        roots: Dict of parts to folders, what is measured first.
        class_names: List of strings.
        image_size: Pair of ints, or `None` to choose one.
        color_mode: `"rgb"` or `"grayscale"`.
        verbose: As for `load_image_folders`.

    Returns:
        Dict of the parts to lists of `FoundImage`, and `FolderFindings`.

    Raises:
        ValueError: If nothing is left of a part or a class.
    """
    files, findings = _list(roots)
    images = {}
    num_files = sum(map(len, files.values()))
    bar = keras.utils.Progbar(
        num_files, verbose=int(verbose == "auto" or verbose), unit_name="file"
    )
    numbers = {name: number for number, name in enumerate(class_names)}
    for part, root in roots.items():
        labels = [
            None if part == "unlabeled" else numbers[class_name(file)]
            for file in files[part]
        ]
        images[part], found = examine_images(
            part, root, files[part], labels, color_mode, lambda: bar.add(1)
        )
        findings += found
    images, copies = drop_copies(images)
    findings += copies
    folders = {
        part: {
            "path": shown(root),
            "num_files": len(files[part]),
            "num_images": len(images[part]),
            "class_counts": (
                None
                if part == "unlabeled"
                else _class_counts(images[part], class_names)
            ),
        }
        for part, root in roots.items()
    }
    check_images_left(
        images, class_names, FolderFindings(folders, findings, [])
    )
    why = "as asked for"
    if image_size is None:
        learned = images["labeled"] + images.get("unlabeled", [])
        image_size, why = common_image_size([image.size for image in learned])
    size = " x ".join(map(str, image_size))
    notes = [f"image size {size}, {color_mode}: {why}", *_class_notes(folders)]
    for part in images.values():
        findings += unusual_sizes(part, image_size)
    report = FolderFindings(folders, findings, notes, image_size)
    if verbose:
        print(report, flush=True)
    return images, report


def _list(roots):
    """The files of each part, and a `Finding` for each that is passed over."""
    files, findings = {}, []
    for part, root in roots.items():
        files[part], faults = find_files(root)
        findings += [
            Finding(kind, part, shown(path), detail)
            for path, kind, detail in faults
        ]
        if part != "unlabeled":
            outside = [path for path in files[part] if os.sep not in path]
            files[part] = [path for path in files[part] if os.sep in path]
            findings += [
                Finding("no class", part, shown(path)) for path in outside
            ]
    return files, findings


def _class_counts(images, class_names):
    counts = collections.Counter(image.label for image in images)
    return {name: counts[number] for number, name in enumerate(class_names)}


def _class_notes(folders):
    few = [
        f"{name} ({count})"
        for name, count in folders["labeled"]["class_counts"].items()
        if count < _FEW
    ]
    if few:
        yield f"labeled has fewer than {_FEW} images of {', '.join(few)}"
    for part in folders.keys() - {"labeled", "unlabeled"}:
        counts = folders[part]["class_counts"]
        missing = [name for name, count in counts.items() if count == 0]
        if missing:
            yield f"{part} has no image of {', '.join(missing)}"
