"""The correlation of thumbnails after one is laid over the other."""

import numpy as np

_NUM_STEPS = 4
# Pixels at the edges, which a cropped image may lack.
_BORDER = 2
# The largest change of a scale and of a place, in a step and in all.
_STEP = np.array([[0.05, 0.05, 1, 1]], "float32")
_LEAST = np.array([[0.88, 0.88, -2.5, -2.5]], "float32")
_MOST = np.array([[1.14, 1.14, 2.5, 2.5]], "float32")
# The pairs that are aligned at a time.
_PIECE = 256


def aligned_correlation(first, second):
    """Returns how alike the thumbnails of pairs are.

    The second image of a pair is scaled and shifted until its grey values fit
    those of the first, by least squares.

    Reference:
        - [Lucas and Kanade, 1981](https://www.ri.cmu.edu/pub_files/pub3/lucas_bruce_d_1981_2/lucas_bruce_d_1981_2.pdf)

    Args:
        first: Float array of shape `(num_pairs, side, side)`.
        second: Float array likewise.

    Returns:
        Two float32 arrays of shape `(num_pairs,)` in -1 to 1: the correlation
        of the grey values, and that of their details, which are differences
        from the mean of 3 x 3 pixels.
    """
    grey, details = [np.zeros(0, "float32")], [np.zeros(0, "float32")]
    for start in range(0, len(first), _PIECE):
        piece = slice(start, start + _PIECE)
        one, other = _aligned(
            first[piece].astype("float32"), second[piece].astype("float32")
        )
        grey.append(_correlation(one, other))
        details.append(_correlation(_details(one), _details(other)))
    return np.concatenate(grey), np.concatenate(details)


def _aligned(first, second):
    """Returns the inner parts of both images of each pair."""
    num_pairs, side, _ = first.shape
    inner = slice(_BORDER, side - _BORDER)
    from_middle = (np.arange(side) - (side - 1) / 2).astype("float32")[inner]
    first = first[:, inner, inner]
    # Scales of height and width, and shifts down and to the right.
    place = np.tile(np.array([[1, 1, 0, 0]], "float32"), (num_pairs, 1))
    for _ in range(_NUM_STEPS):
        moved = _sampled(second, place)
        down, right = np.gradient(moved, axis=(1, 2))
        moved, down, right = (
            each[:, inner, inner] for each in (moved, down, right)
        )
        slopes = [
            down * from_middle[:, None],
            right * from_middle,
            down,
            right,
            moved,
            np.ones_like(moved),
        ]
        slopes = np.stack([each.reshape(num_pairs, -1) for each in slopes], 1)
        moments = slopes @ slopes.transpose(0, 2, 1)
        moments += 1e-3 * np.eye(6, dtype="float32")
        wanted = slopes @ first.reshape(num_pairs, -1, 1)
        found = np.linalg.solve(moments, wanted)[..., 0]
        gain = np.maximum(found[:, 4:5], 0.1)
        place += np.clip(found[:, :4] / gain, -_STEP, _STEP)
        place = np.clip(place, _LEAST, _MOST)
    return first, _sampled(second, place)[:, inner, inner]


def _sampled(images, place):
    """Returns images scaled about the middle and shifted, bilinearly."""
    numbers = np.arange(len(images))[:, None]
    side = images.shape[1]
    middle = np.float32((side - 1) / 2)
    from_middle = (np.arange(side) - middle).astype("float32")

    def sampled(images, scale, shift):
        at = middle + scale[:, None] * from_middle + shift[:, None]
        at = np.clip(at, 0, side - 1.001)
        low = at.astype(int)
        share = (at - low)[..., None]
        lower, upper = images[numbers, low], images[numbers, low + 1]
        return lower + share * (upper - lower)

    rows = sampled(images, place[:, 0], place[:, 2])
    columns = sampled(rows.transpose(0, 2, 1), place[:, 1], place[:, 3])
    return columns.transpose(0, 2, 1)


def _correlation(first, second):
    first, second = (
        each - each.mean(axis=(1, 2), keepdims=True) for each in (first, second)
    )
    lengths = np.sqrt((first**2).sum((1, 2)) * (second**2).sum((1, 2)))
    return (first * second).sum(axis=(1, 2)) / np.maximum(lengths, 1e-6)


def _details(images):
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    return images - (rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]) / 9
