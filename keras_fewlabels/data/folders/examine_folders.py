"""Examination of all image files in folders, before they are used."""

import collections
import concurrent.futures
import dataclasses
import hashlib
import os

import keras

from keras_fewlabels.data.folders.decode_image import (
    UnusableImage,
    decode_image,
)
from keras_fewlabels.data.folders.find_files import (
    class_name,
    find_files,
)
from keras_fewlabels.data.folders.folder_checks import check_images_left
from keras_fewlabels.data.folders.folder_findings import Finding, FolderFindings
from keras_fewlabels.data.folders.image_size import (
    common_image_size,
    unusual_sizes,
)
from keras_fewlabels.foundation import printable

# A class with fewer labelled images than this gets a note.
_FEW = 5
# Files that wait for a thread at a time.
_WINDOW = 1024


@dataclasses.dataclass(frozen=True, slots=True)
class FoundImage:
    """An image file that can be used.

    Args:
        part: String, the folder of the file: "labeled", "unlabeled",
            "validation" or "test".
        file: String, its path relative to that folder.
        path: String, its path.
        label: Int, the number of its class, or `None`.
        size: Pair of ints, height and width.
        pixels: Bytes, a hash of the size and the pixels.
    """

    part: str
    file: str
    path: str
    label: int | None
    size: tuple
    pixels: bytes


def examine_folders(roots, class_names, image_size, color_mode, verbose):
    """Decodes all files and sorts out those that cannot be used.

    Args:
        roots: Dict of parts to folders, "test" and "validation" first.
        class_names: List of strings.
        image_size: Pair of ints, or `None` to choose one.
        color_mode: `"rgb"` or `"grayscale"`.
        verbose: Int, 0 for no output.

    Returns:
        Dict of the parts to lists of `FoundImage`, and `FolderFindings`.

    Raises:
        ValueError: If a part has no image that can be used, or a class no
            labelled one.
    """
    files, findings = _list_files(roots)
    images, unusable = _examine_parts(
        roots, files, class_names, color_mode, verbose
    )
    images, copies = drop_copies(images)
    findings += unusable + copies
    folders = {
        part: {
            "path": printable(root),
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
    reason = "as asked for"
    if image_size is None:
        used = images["labeled"] + images.get("unlabeled", [])
        image_size, reason = common_image_size([image.size for image in used])
    size = " x ".join(map(str, image_size))
    notes = [
        f"image size {size}, {color_mode}: {reason}",
        *_class_notes(folders),
        *_level_notes(files["labeled"]),
    ]
    for part in images.values():
        unusual, more_notes = unusual_sizes(part, image_size)
        findings += unusual
        notes += more_notes
    report = FolderFindings(folders, findings, notes, image_size)
    if verbose:
        print(report, flush=True)
    return images, report


def _list_files(roots):
    """Returns the files of each part, and a `Finding` per skipped entry."""
    files, findings = {}, []
    for part, root in roots.items():
        files[part], faults = find_files(root)
        findings += [
            Finding(kind, part, printable(path), detail)
            for path, kind, detail in faults
        ]
        if part != "unlabeled":
            outside = [path for path in files[part] if os.sep not in path]
            files[part] = [path for path in files[part] if os.sep in path]
            findings += [
                Finding("no class", part, printable(path)) for path in outside
            ]
    return files, findings


def _examine_parts(roots, files, class_names, color_mode, verbose):
    """Returns the `FoundImage`s of each part, and the findings."""
    bar = keras.utils.Progbar(
        sum(map(len, files.values())), verbose=verbose, unit_name="file"
    )
    numbers = {name: number for number, name in enumerate(class_names)}
    images, findings = {}, []
    for part, root in roots.items():
        labels = [
            None if part == "unlabeled" else numbers[class_name(file)]
            for file in files[part]
        ]
        images[part], found = examine_images(
            part, root, files[part], labels, color_mode, lambda: bar.add(1)
        )
        findings += found
    return images, findings


def examine_images(part, root, files, labels, color_mode, on_file):
    """Decodes files in several threads and finds those that are no images.

    A damaged file is only found by decoding it to the end.

    Args:
        part: String, as for `FoundImage`.
        root: String, the folder.
        files: List of paths relative to it.
        labels: List with the number of a class per file, or `None`.
        color_mode: `"rgb"` or `"grayscale"`.
        on_file: Function that is called after each file.

    Returns:
        Pair of lists, in the order of the files: a `FoundImage` for each
        image, and a `Finding` for each file that is unusable or converted.
    """

    def examine(file, label):
        path = os.path.join(root, file)
        try:
            image, conversions = decode_image(path, color_mode)
        except UnusableImage as error:
            return None, {error.kind: error.detail}
        size = (image.height, image.width)
        digest = hashlib.blake2b(repr(size).encode(), digest_size=16)
        digest.update(image.tobytes())
        found = FoundImage(part, file, path, label, size, digest.digest())
        return found, conversions

    images, findings = [], []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(files), _WINDOW):
            window = files[start : start + _WINDOW]
            examined = pool.map(examine, window, labels[start:])
            for file, (image, kinds) in zip(window, examined, strict=True):
                if image is not None:
                    images.append(image)
                findings += [
                    Finding(kind, part, printable(file), detail)
                    for kind, detail in kinds.items()
                ]
                on_file()
    return images, findings


def drop_copies(parts):
    """Removes duplicates, so that no test or validation image is trained on.

    Two images are duplicates if all pixels are equal. Within a part one copy
    stays, except for an image in several classes, of which none stays,
    because its class is unknown. An image in several parts stays in the first
    of them.

    Args:
        parts: Dict of parts to lists of `FoundImage`, "test" and "validation"
            first.

    Returns:
        Dict of the same parts to lists of `FoundImage`, and a list with a
        `Finding` for each image that was removed.
    """
    kept, findings, earlier_parts = {}, [], {}
    for part, images in parts.items():
        # The first image of each class, by pixels.
        classes = collections.defaultdict(dict)
        for image in images:
            classes[image.pixels].setdefault(image.label, image)
        kept[part] = []
        for image in images:
            kind, other = _duplicate_of(
                image, classes[image.pixels], earlier_parts.get(image.pixels)
            )
            if kind is None:
                kept[part].append(image)
                continue
            detail = f"as {other.part}: {printable(other.file)}"
            file = printable(image.file)
            findings.append(Finding(kind, part, file, detail))
        for pixels, firsts in classes.items():
            earlier_parts.setdefault(pixels, next(iter(firsts.values())))
    return kept, findings


def _duplicate_of(image, firsts, in_earlier_part):
    """Returns why an image is removed, and its duplicate; or two `None`."""
    if in_earlier_part is not None:
        return "in another part", in_earlier_part
    for label, other in firsts.items():
        if label != image.label:
            return "two classes", other
    if image is not firsts[image.label]:
        return "copy", firsts[image.label]
    return None, None


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


def _level_notes(files):
    if all(file.count(os.sep) > 1 for file in files):
        yield (
            "all images in labeled are in folders within the folders of the "
            "classes; if those are the classes, pass the folder above them"
        )
