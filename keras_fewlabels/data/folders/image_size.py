"""The height and width that images are resized to."""

import collections

from keras_fewlabels.data.folders.folder_findings import Finding
from keras_fewlabels.foundation import check_int, printable

# The size of most networks for ImageNet. Larger images take longer and seldom
# make a classifier better.
_LARGEST = 224
# From this share of one size on, images of other sizes are exceptions.
_NEARLY_ALL = 0.9
# From this ratio of the scales of both sides on, an image has another shape.
# Photographs of 3:2 in a square are below.
_OTHER_SHAPE = 1.55
# Up to this number and up to this share of the images, other shapes are
# exceptions.
_FEW, _RARE = 20, 0.01


def checked_image_size(image_size):
    """Returns an int or a pair of ints as `(height, width)`.

    Raises:
        ValueError: If `image_size` is neither.
    """
    if isinstance(image_size, tuple | list):
        if len(image_size) != 2:
            raise ValueError(
                "`image_size` must be an int, or a pair of ints (height, "
                f"width). Received: image_size={image_size!r}"
            )
    else:
        image_size = image_size, image_size
    for side in image_size:
        check_int(side, "image_size")
    return tuple(map(int, image_size))


def common_image_size(sizes):
    """Returns one size for images of several sizes.

    If nine tenths of the images have the same size, it is that size, shrunk
    to at most 224 pixels. Otherwise it is a square of the median of their
    shorter sides, at most 224 pixels.

    Args:
        sizes: List of pairs of ints `(height, width)`, one or more.

    Returns:
        Pair of ints `(height, width)`, and a string with the reason.
    """
    ((size, count),) = collections.Counter(sizes).most_common(1)
    if count >= _NEARLY_ALL * len(sizes):
        why = f"{count:,} of {len(sizes):,} images are {_as_text(size)}"
        if max(size) <= _LARGEST:
            return size, why
        shrink = _LARGEST / max(size)
        size = tuple(max(1, round(shrink * side)) for side in size)
        return size, f"{why}, shrunk to at most {_LARGEST} pixels"
    shorter = sorted(min(size) for size in sizes)
    median = shorter[(len(shorter) - 1) // 2]
    side = min(median, _LARGEST)
    why = f"the median of the shorter sides is {median}"
    if median > _LARGEST:
        why += f"; at most {_LARGEST} pixels"
    return (side, side), why


def unusual_sizes(images, image_size):
    """Returns findings about the images that the resizing changes much.

    Photographs come in several shapes, upright and lying. A shape that many
    images have is no reason to look at each of them, so one note counts them.

    Args:
        images: List of `FoundImage`, of one part.
        image_size: Pair of ints `(height, width)`.

    Returns:
        List of `Finding`, and a list of notes, which are strings.
    """
    height, width = image_size
    findings, others = [], []
    for image in images:
        down, across = height / image.size[0], width / image.size[1]
        if min(down, across) > 2:
            findings.append(_finding("enlarged", image))
        if max(down, across) > _OTHER_SHAPE * min(down, across):
            others.append(_finding("another shape", image))
    if len(others) <= max(_FEW, _RARE * len(images)):
        return findings + others, []
    note = (
        f"{len(others):,} of {len(images):,} images in {others[0].part} have "
        f"another shape than {_as_text(image_size)}, such as {others[0].file} "
        f"({others[0].detail}); `crop_to_aspect_ratio=True` cuts images in "
        "place of squeezing them"
    )
    return findings, [note]


def _finding(kind, image):
    file, size = printable(image.file), _as_text(image.size)
    return Finding(kind, image.part, file, size)


def _as_text(size):
    return " x ".join(map(str, size))
