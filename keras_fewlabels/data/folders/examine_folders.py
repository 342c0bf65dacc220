"""Folders of images, looked at as a whole."""

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
    shown,
)
from keras_fewlabels.data.folders.folder_checks import check_images_left
from keras_fewlabels.data.folders.folder_findings import Finding, FolderFindings
from keras_fewlabels.data.folders.image_size import (
    common_image_size,
    unusual_sizes,
)

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


@dataclasses.dataclass(frozen=True, slots=True)
class FoundImage:
    """What is known of an image before anything is trained on it.

    Args:
        part: String, which folder it is in: "labeled", "unlabeled",
            "validation" or "test".
        file: String, its path relative to that folder.
        path: String, its path.
        label: Int, the number of its class, or `None`.
        size: Pair of ints, height and width.
        pixels: Bytes, the same for images with the same pixels only.
    """

    part: str
    file: str
    path: str
    label: int | None
    size: tuple
    pixels: bytes


# Files that wait for a thread at a time.
_WINDOW = 1024


def examine_images(part, root, files, labels, color_mode, on_file):
    """Decodes files in several threads and tells images from other files.

    Broken files are only found by decoding them to the end.

    Args:
        part: String, what the folder is for, as for `FoundImage`.
        root: String, the folder.
        files: List of paths relative to it.
        labels: List of ints, a class per file, or of `None`.
        color_mode: `"rgb"` or `"grayscale"`.
        on_file: Function that is called after each file.

    Returns:
        Pair of lists, in the order of the files: a `FoundImage` for each that
        is an image, and every `Finding`.
    """

    def examine(file, label):
        path = os.path.join(root, file)
        try:
            image, converted = decode_image(path, color_mode)
        except UnusableImage as error:
            return None, {error.kind: error.detail}
        size = (image.height, image.width)
        digest = hashlib.blake2b(repr(size).encode(), digest_size=16)
        digest.update(image.tobytes())
        found = FoundImage(part, file, path, label, size, digest.digest())
        return found, converted

    images, findings = [], []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(files), _WINDOW):
            window = files[start : start + _WINDOW]
            examined = pool.map(examine, window, labels[start:])
            for file, (image, facts) in zip(window, examined, strict=True):
                if image is not None:
                    images.append(image)
                findings += [
                    Finding(kind, part, shown(file), detail)
                    for kind, detail in facts.items()
                ]
                on_file()
    return images, findings


def drop_copies(parts):
    """Leaves each image in one place, so that none that is measured is learned.

    An image is the same as another if all pixels are. Of several copies in a
    part one stays. In several classes of a part none does, since nobody knows
    which is right. In several parts it stays in the first one.

    Args:
        parts: Dict of parts to lists of `FoundImage`, what is measured first:
            what is there stays out of all that follows.

    Returns:
        Dict of the same parts to lists of `FoundImage`, and a list with a
        `Finding` for each copy that is left out.
    """
    kept, findings, elsewhere = {}, [], {}
    for part, images in parts.items():
        # The first copy in each class, by pixels.
        classes = collections.defaultdict(dict)
        for image in images:
            classes[image.pixels].setdefault(image.label, image)
        kept[part] = []
        for image in images:
            firsts = classes[image.pixels]
            kind, other = _reason(image, firsts, elsewhere.get(image.pixels))
            if kind is None:
                kept[part].append(image)
                continue
            detail = f"as {other.part}: {shown(other.file)}"
            findings.append(Finding(kind, part, shown(image.file), detail))
        for pixels, firsts in classes.items():
            elsewhere.setdefault(pixels, next(iter(firsts.values())))
    return kept, findings


def _reason(image, firsts, elsewhere):
    """Why an image is left out, and the image because of which; or `None`."""
    if elsewhere is not None:
        return "in another part", elsewhere
    for label, other in firsts.items():
        if label != image.label:
            return "two classes", other
    if image is not firsts[image.label]:
        return "copy", firsts[image.label]
    return None, None
