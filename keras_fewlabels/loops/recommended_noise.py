"""The noise that `recommend` proposes, and why."""

import numpy as np

from keras_fewlabels.loops.mirror_test import mirror_accuracy
from keras_fewlabels.models.residual_additions import (
    is_graph,
    residual_additions,
)

# Above this a linear classifier does tell images from their mirror images.
_MIRRORS_DIFFER = 0.6
# With fewer images than this the mirror test says nothing.
_FEW_IMAGES = 100
# So many of the pixels at the edges must be alike to be a background.
_BACKGROUND = 0.7
# So many labels per class are not learned by heart at once.
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
    """How images are augmented, and why.

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
        "labeled_view": _labeled_view(task),
        "teacher_noise": (True, "few labels need augmentation"),
        "student_noise": (True, "what the student of Noisy Student is named"),
    }


def _labeled_view(task):
    """How labelled images are augmented, in both kinds of phases."""
    if task.class_counts.mean() >= _MANY_LABELS:
        return "weak", "flips and shifts, as in FixMatch, learn faster"
    return "strong", "as in Noisy Student: few labels are learned by heart"


def _fill_value(task):
    """What is moved in from outside: the background, if there is one."""
    edges = np.concatenate(
        [
            task.sample[:, [0, -1]].reshape(-1),
            task.sample[:, :, [0, -1]].reshape(-1),
        ]
    )
    background = float(np.median(edges))
    low, high = task.value_range
    share = np.mean(np.abs(edges - background) <= 0.05 * (high - low))
    if share < _BACKGROUND:
        return None, "the edges of the images have no common value"
    return background, f"{share:.0%} of the pixels at the edges have it"


def model_noise(model):
    """Which residual branches are dropped, and why.

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
