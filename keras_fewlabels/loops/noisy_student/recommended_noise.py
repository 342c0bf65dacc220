"""The noise that `recommend` proposes, and why."""

import numpy as np

from keras_fewlabels.foundation import is_graph
from keras_fewlabels.models.stochastic_depth.residual_additions import (
    residual_additions,
)

# Above this a linear classifier does tell images from their mirror images.
_MIRRORS_DIFFER = 0.6
# With fewer images, their mirror images cannot be told apart reliably.
_FEW_IMAGES = 100
# The share of the pixels at the edges that a background has at least.
_MIN_BACKGROUND = 0.7
# With as many labels per class, images are not learned by heart at once.
_MANY_LABELS = 100
# As many as a ResNet-18 has. With three, dropping them cost 5 points of 49 on
# CIFAR-10; the nets of Noisy Student have dozens.
_MANY_BRANCHES = 8
_GEOMETRIC_OPS = [
    "identity",
    "rotate",
    "shear_x",
    "shear_y",
    "translate_x",
    "translate_y",
]


def image_noise(task):
    """Returns the settings of the augmentation, with their reasons.

    Args:
        task: `Task`.

    Returns:
        Dict of settings to pairs of a value and a sentence.
    """
    is_grey = task.sample.shape[-1] == 1
    if len(task.sample) < _FEW_IMAGES:
        flip, why_flip = False, "too few images to see whether flips are safe"
    else:
        accuracy = mirror_accuracy(task.sample)
        flip = accuracy < _MIRRORS_DIFFER
        why_flip = (
            f"a linear classifier tells {accuracy:.0%} of the images from "
            "their mirror images; by chance it would be half"
        )
    return {
        "flip": (flip, why_flip),
        "num_ops": (2, "as in Noisy Student"),
        "ops": (
            _GEOMETRIC_OPS if is_grey else None,
            "grey images: shapes only" if is_grey else "all ops of RandAugment",
        ),
        "magnitude": (
            5 if is_grey else 10,
            "on the paper's scale of 10; `tune_rand_augment` with the same "
            "`table` finds a better",
        ),
        "table": (
            "fixmatch",
            "each op draws its own magnitude below that one, as in FixMatch",
        ),
        "fill_value": _fill_value(task),
        "cutout": (
            not is_grey,
            "a hole in each image" if not is_grey else "small shapes vanish",
        ),
        "labeled_noise": _labeled_noise(task),
        "supervised_noise": (True, "few labels need augmentation"),
        "student_noise": (True, "what the student of Noisy Student is named"),
    }


def _labeled_noise(task):
    """Returns the augmentation of labelled images, with the reason."""
    if task.class_counts.mean() >= _MANY_LABELS:
        return "weak", "flips and shifts, as in FixMatch, learn faster"
    return "strong", "as in Noisy Student: few labels are learned by heart"


def _fill_value(task):
    """Returns the value of the background, if there is one, with the reason."""
    edges = np.concatenate(
        [
            task.sample[:, [0, -1]].reshape(-1),
            task.sample[:, :, [0, -1]].reshape(-1),
        ]
    )
    background = float(np.median(edges))
    low, high = task.value_range
    share = np.mean(np.abs(edges - background) <= 0.05 * (high - low))
    if share < _MIN_BACKGROUND:
        return None, "the edges of the images have no common value"
    return background, f"{share:.0%} of the pixels at the edges have it"


def model_noise(model):
    """Returns the rate at which residual branches are dropped.

    Args:
        model: The student.

    Returns:
        Dict as of `image_noise`.
    """
    count = len(residual_additions(model)) if is_graph(model) else 0
    if count >= _MANY_BRANCHES:
        return {
            "stochastic_depth": (
                0.2,
                f"{count} residual branches; as in Noisy Student",
            )
        }
    if count:
        reason = f"a net of {count} residual branches needs each of them"
    else:
        reason = "no residual branches to drop"
    return {"stochastic_depth": (0.0, reason)}


# The images at most, and about the pixels in each direction.
_MAX_IMAGES = 1000
_MAX_PIXELS = 8


def mirror_accuracy(images):
    """Measures how well images can be told from their mirror images.

    Photographs are as likely one way round as the other. Letters, digits,
    X-rays and pages are not, so a model must not learn from flipped ones.

    Args:
        images: Array of shape `(num_images, height, width, channels)`, at
            least two images.

    Returns:
        Float, the accuracy of a linear classifier on images that it was not
        fitted on: about 0.5 where flips do no harm, near 1 where no image
        looks like a flipped one. With 200 images, 0.5 has a standard error
        of 0.035.

    Example:

    >>> from keras_fewlabels.loops.noisy_student.recommended_noise import (
    ...     mirror_accuracy,
    ... )
    >>> images = np.random.default_rng(0).random((100, 8, 8, 1))
    >>> images[:, :, :4] += 1  # bright on the left
    >>> mirror_accuracy(images)
    1.0
    """
    grey = np.asarray(images[:_MAX_IMAGES]).mean(axis=-1, dtype="float64")
    half = grey.shape[2] // 2
    # What changes its sign when the image is flipped: a linear classifier
    # without a bias that is right about an image is right about its mirror.
    odd = (grey - grey[:, :, ::-1])[:, :, :half]
    odd = odd / (grey.std(axis=(1, 2), keepdims=True) + 1e-6)
    odd = _means(odd, (_MAX_PIXELS, _MAX_PIXELS // 2))
    odd = odd.reshape(len(odd), odd.shape[1] * odd.shape[2])
    parts = odd[::2], odd[1::2]
    return float(np.mean([_accuracy(*parts), _accuracy(*reversed(parts))]))


def _accuracy(fitted, held_out):
    second_moments = fitted.T @ fitted / len(fitted)
    weights = np.linalg.solve(
        second_moments + 0.1 * np.eye(len(second_moments)), fitted.mean(axis=0)
    )
    scores = held_out @ weights
    # A score of 0 is a guess.
    return np.mean(scores > 0) + np.mean(scores == 0) / 2


def _means(images, sizes):
    """Returns the means of equal blocks, about `sizes` of them."""
    for axis, size in zip((1, 2), sizes, strict=True):
        block = max(1, images.shape[axis] // size)
        count = images.shape[axis] // block
        images = np.moveaxis(images, axis, -1)[..., : count * block]
        images = images.reshape(*images.shape[:-1], count, block).mean(axis=-1)
        images = np.moveaxis(images, -1, axis)
    return images
