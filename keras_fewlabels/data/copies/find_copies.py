import dataclasses
import itertools

import numpy as np

from keras_fewlabels.data.copies.aligned_correlation import aligned_correlation
from keras_fewlabels.data.copies.thumbnails import SIDE, thumbnails

# The images that are compared in detail: as many of each part, if the colours
# of their squares correlate by more than this.
_NUM_CANDIDATES, _ALIKE = 3, 0.75
# Of photographs of flowers, waste, steel and hands that were encoded at
# quality 60, scaled by 0.7 or cropped by 5 %, 95 % or more have correlations
# above these. Of others, few do that are no two shots of one thing.
_GREY, _DETAILS = 0.93, 0.72
# Encoding again changes the details of smooth images more.
_SMOOTH_GREY, _SMOOTH_DETAILS = 0.99, 0.45
# Pairs with details that are less alike are no copies in the other direction.
_HOPELESS = 0.4
# The number of similarities that are in memory at once.
_PIECE = 2**24


@dataclasses.dataclass(frozen=True)
class Copy:
    """An image that is nearly equal to one before it.

    Args:
        part: String, the part of the image.
        index: Int, its number there.
        other_part: String, the part of the image that it is a copy of.
        other_index: Int, the number of that image.
        correlation: Float, that of the details of both; 1 if all pixels are
            equal.
    """

    part: str
    index: int
    other_part: str
    other_index: int
    correlation: float


def find_copies(sources, progress=None):
    """Finds images that are copies of others, and not only equal ones.

    A copy may have been encoded again, resized, or cropped by a few percent.
    Images with alike colours in 8 x 8 squares are laid over one another, and
    are copies if then their grey values and their details are nearly equal.
    Two shots of the same thing mostly are not. Of images with a side below 32
    pixels only equal ones are copies, for they have too few details.

    Time grows with the square of the number of images. In memory are
    thumbnails, 3 KB per image.

    Args:
        sources: Dict of the names of parts to `ImageSource`. An image is a
            copy of one in the first part that has one; so those to measure
            with come first.
        progress: Optional function that is called with the number of images
            that are done.

    Returns:
        List of `Copy`, one at most per image, in the order of parts and
        images; and a dict of the parts to lists of hashes, as of
        `image_hash`.

    Example:

    >>> from keras_fewlabels.data.copies import find_copies
    >>> from keras_fewlabels.data.sources import image_source
    >>> images = np.random.default_rng(0).integers(0, 256, (9, 40, 40, 3))
    >>> images = images.astype("uint8")
    >>> copies, _ = find_copies(
    ...     {"test": image_source(images[:3]), "pool": image_source(images[1:])}
    ... )
    >>> [(copy.index, copy.other_part, copy.other_index) for copy in copies]
    [(0, 'test', 1), (1, 'test', 2)]
    """
    counts = itertools.accumulate(map(len, sources.values()), initial=0)
    kept = {
        part: thumbnails(
            source,
            progress and (lambda done, before=before: progress(before + done)),
        )
        for (part, source), before in zip(sources.items(), counts, strict=False)
    }
    copies = []
    for number, (part, here) in enumerate(kept.items()):
        found = {}
        for other in list(kept)[: number + 1]:
            _add_equal(found, part, other, kept)
            if min(sources[part].shape[:2]) >= SIDE:
                waiting = np.setdiff1d(np.arange(len(here.hashes)), [*found])
                _add_near(found, part, other, kept, waiting)
        copies += [found[index] for index in sorted(found)]
    return copies, {part: each.hashes for part, each in kept.items()}


def _add_equal(found, part, other, kept):
    """Adds the copies with equal pixels."""
    first = {}
    for index, digest in enumerate(kept[other].hashes):
        first.setdefault(digest, index)
    for index, digest in enumerate(kept[part].hashes):
        original = first.get(digest)
        is_itself = part == other and original == index
        if original is not None and not is_itself and index not in found:
            found[index] = Copy(part, index, other, original, 1.0)


def _add_near(found, part, other, kept, waiting):
    """Adds the copies among some images whose pixels are nearly equal."""
    here, there = kept[part], kept[other]
    images, others = _candidates(
        here.coarse, there.coarse, waiting, part == other
    )
    correlation = _verified(here.fine, images, there.fine, others)
    order = np.argsort(-correlation, kind="stable")
    for place in order[: int((correlation > 0).sum())]:
        index, original = int(images[place]), int(others[place])
        if index not in found:
            alike = float(correlation[place])
            found[index] = Copy(part, index, other, original, alike)


def _candidates(here, there, waiting, only_before):
    """Returns the numbers of the images of the pairs that are alike."""
    size = max(1, _PIECE // len(there))
    count = min(_NUM_CANDIDATES, len(there))
    images, others = [np.zeros(0, int)], [np.zeros(0, int)]
    for start in range(0, len(waiting), size):
        rows = waiting[start : start + size]
        alike = here[rows] @ there.T
        if only_before:
            alike[np.arange(len(there)) >= rows[:, None]] = -1
        nearest = np.argpartition(-alike, count - 1, axis=1)[:, :count]
        row, place = np.nonzero(
            np.take_along_axis(alike, nearest, axis=1) > _ALIKE
        )
        images.append(rows[row])
        others.append(nearest[row, place])
    return np.concatenate(images), np.concatenate(others)


def _verified(here, images, there, others):
    """Returns the correlation of details, and 0 for pairs that are none."""
    best = np.zeros(len(images), "float32")
    waiting = np.arange(len(images))
    # Either of the two may be the one that was cropped.
    for is_turned in (False, True):
        pair = here[images[waiting]], there[others[waiting]]
        grey, details = aligned_correlation(
            *(pair[::-1] if is_turned else pair)
        )
        is_copy = (grey > _GREY) & (details > _DETAILS)
        is_copy |= (grey > _SMOOTH_GREY) & (details > _SMOOTH_DETAILS)
        best[waiting] = np.where(is_copy, details, 0)
        waiting = waiting[~is_copy & (details > _HOPELESS)]
    return best
