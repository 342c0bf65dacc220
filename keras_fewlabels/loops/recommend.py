import numpy as np

from keras_fewlabels.foundation import input_shape_of
from keras_fewlabels.loops.choose_settings import unused_settings
from keras_fewlabels.loops.class_balance import are_uneven
from keras_fewlabels.loops.noisy_student.build_student import builder_of
from keras_fewlabels.loops.noisy_student.comes_trained import (
    comes_trained,
    was_trained,
)
from keras_fewlabels.loops.noisy_student.recommended_noise import (
    image_noise,
    model_noise,
)
from keras_fewlabels.loops.noisy_student.task import inspect_task
from keras_fewlabels.loops.settings import Settings

# Fewer validation images per class cannot tell two models apart.
_MIN_VALIDATION_PER_CLASS = 10
# Smaller images, in pixels, lose too much when they are shrunk.
_MIN_SIDE_TO_SHRINK = 64


def recommend(
    build_student, labeled, unlabeled, validation_data=None, *, value_range=None
):
    """Proposes settings for a model and its images, with the reason for each.

    Args:
        build_student: As for `fit_noisy_student`.
        labeled: Pair of arrays `(images, labels)`, or dataset of such pairs.
        unlabeled: Array or dataset of images.
        validation_data: Optional pair or dataset as `labeled`.
        value_range: Optional pair of floats, the values of black and white.

    Returns:
        `Settings`, to be passed to `fit_noisy_student(settings=...)`, perhaps
        with changes by `dataclasses.replace`. Their `why` has a sentence for
        each.

    Raises:
        ValueError: If model, labels and images do not go together.

    Example:

    >>> def build_student():
    ...     return keras.Sequential([keras.Input((8, 8, 1)),
    ...         keras.layers.Flatten(), keras.layers.Dense(2)])
    >>> images = np.random.default_rng(0).random((300, 8, 8, 1))
    >>> images[:, :, :4] /= 2  # the left half is darker
    >>> settings = keras_fewlabels.loops.recommend(
    ...     build_student, (images[:20], np.arange(20) % 2), images[20:]
    ... )
    >>> settings.flip, settings.why["flip"]
    (False, 'a linear classifier tells 100% of the images from their mirr...')
    """
    model = builder_of(build_student)(0)
    task = inspect_task(model, labeled, unlabeled, value_range)
    return recommended_for(task, model, validation_data is None)


def recommended_for(task, model, needs_validation, pretrained=None):
    """Returns the settings that are recommended for a task.

    Args:
        task: `Task`.
        model: Keras model, the student.
        needs_validation: Boolean, whether no validation data were passed.
        pretrained: Optional boolean, the user's choice for that setting.
    """
    reason = "as given"
    if pretrained is None:
        pretrained, reason = comes_trained(task, model)
    proposals = {
        **_validation(task, needs_validation),
        **_lengths(len(task.labeled[0]), len(task.unlabeled)),
        **_optimizer(model),
        **image_noise(task),
        **model_noise(model),
        **_teaching(task.scores.one_true),
        **_resolution(task, model),
        "pretrained": (pretrained, reason),
        "rounds": (
            2,
            "pseudo-labels are made anew for each; the upper layers learn the "
            "surer half of those of each class",
        ),
        "balanced": _balance(task),
    }
    if pretrained:
        proposals |= _ladder(model)
    why = {name: reason for name, (_, reason) in proposals.items()}
    for name, reason in unused_settings(model, pretrained).items():
        why[name] = f"not used: {reason}"
    values = {name: value for name, (value, _) in proposals.items()}
    return Settings(**values, why=why)


def _balance(task):
    """Returns whether all classes should count alike, with the reason."""
    if not task.scores.one_true:
        return False, "several labels may be true of an image"
    fewest, most = int(task.class_counts.min()), int(task.class_counts.max())
    counts = f"the classes have {fewest:,} to {most:,} labels"
    if are_uneven(task.class_counts):
        return True, (
            f"{counts}: the labels of rare classes count more, and models are "
            "chosen by balanced accuracy"
        )
    return False, f"{counts}, which is even enough"


def _validation(task, needs_validation):
    if not needs_validation:
        given = "validation data are given"
        return {
            "validation_split": (0.0, given),
            "train_on_validation": (False, given),
        }
    num_labeled = len(task.labeled[0])
    per_class = num_labeled / task.num_classes
    split = 0.1 if per_class >= 100 else 0.2
    if task.scores.one_true:
        split = min(max(split, 1 / per_class), 0.5)
    num_validation = task.num_validation(split)
    learned = num_validation < _MIN_VALIDATION_PER_CLASS * task.num_classes
    return {
        "validation_split": (
            split,
            f"{num_validation:,} of {num_labeled:,} labelled images, "
            + (
                "at least one of each class"
                if task.scores.one_true
                else "drawn at random"
            )
            + "; no test image is ever used",
        ),
        "train_on_validation": (
            learned,
            f"{num_validation:,} validation images "
            + (
                "tell when to end the supervised phase, but hardly two models "
                "apart: the students learn them too"
                if learned
                else "are enough to tell models apart by"
            ),
        ),
    }


def _lengths(num_labeled, num_unlabeled):
    batch_size = 32 if num_labeled < 1000 else 64
    ratio = int(np.clip(round(num_unlabeled / num_labeled), 1, 4))
    supervised = int(np.clip(100 * num_labeled / batch_size, 1000, 10_000))
    pass_steps = num_unlabeled / (batch_size * ratio)
    student = int(np.clip(80 * pass_steps, 2000, 20_000))
    steps_per_epoch = int(np.clip(supervised // 20, 50, 500))
    return {
        "batch_size": (batch_size, f"for {num_labeled:,} labelled images"),
        "unlabeled_ratio": (
            ratio,
            f"unlabelled images per labelled one in a step; there are "
            f"{num_unlabeled:,}",
        ),
        "supervised_steps": (
            supervised,
            "at most 100 passes over the labelled images, between 1,000 and "
            "10,000 steps; fewer once the validation loss has settled",
        ),
        "student_steps": (
            student,
            "80 passes over the unlabelled images, between 2,000 and 20,000 "
            "steps, for each generation",
        ),
        "steps_per_epoch": (
            steps_per_epoch,
            "the models are validated after so many steps",
        ),
        "patience": (
            5,
            "epochs without a lower validation loss until the supervised "
            "phase has settled",
        ),
        "ema_decay": (
            None,
            "the average of weights looks back over a twentieth of the "
            "student's steps; a number sets its decay",
        ),
    }


def _ladder(model):
    """Returns the settings that suit a model that comes trained."""
    measured = "measured on photographs, with a backbone from ImageNet"
    proposals = {
        "validation_split": (
            0.0,
            "heads are compared by cross-validation on the labels",
        ),
        "train_on_validation": (False, "there is no validation set"),
        "batch_size": (32, measured),
        "student_steps": (
            1500,
            "for all fine-tuning together, as far as there is time",
        ),
        "steps_per_epoch": (50, "progress and backups after so many steps"),
        "label_smoothing": (0.0, measured),
        "magnitude": (5, measured + "; on the paper's scale of 10"),
        "cutout": (False, measured),
        "stochastic_depth": (
            0.0,
            "each branch of a model that comes trained is needed",
        ),
    }
    if not model.compiled:
        proposals["learning_rate"] = (3e-4, measured)
        proposals["weight_decay"] = (
            0.0,
            "a few hundred steps at that rate would not feel it",
        )
    return proposals


def _optimizer(model):
    reason = "AdamW, with a warm-up; the students' rate falls as a cosine"
    rate = (2e-3, reason)
    if was_trained(model) and not model.compiled:
        rate = (2e-4, "small: the model was trained before, and would forget")
    return {
        "learning_rate": rate,
        "weight_decay": (1e-2, reason),
        "label_smoothing": (
            0.1,
            "keeps a small model from certainty on few labels",
        ),
    }


def _teaching(one_true):
    threshold = 0.6
    limit = (
        "predictions below it do not count, the others are sharpened. Before, "
        "they are aligned to the class shares of the labels; if the classes "
        "of the unlabelled images have other shares, pass "
        "`policy=FixedThreshold(0.8, soft=True)`"
    )
    if not one_true:
        threshold = 0.0
        limit = (
            "each label is judged by itself, and all count, sharpened. Before, "
            "they are aligned to the share of the labelled images that have "
            "the label; if it is another one in the unlabelled images, pass "
            "`policy=FixedThreshold(0.8, soft=True)`"
        )
    return {
        "teacher": (
            "average",
            "the student goes on from the model before, taught by its own "
            "average, unless `build_student` changes the architecture",
        ),
        "threshold": (threshold, limit),
        "temperature": (0.5, limit),
        "unlabeled_weight": (1.0, "as in Noisy Student and FixMatch"),
    }


def _resolution(task, model):
    num_labeled = len(task.labeled[0])
    size = min(task.labeled[0].shape[1:3])
    if input_shape_of(model)[1:3] != (None, None):
        why = "the model takes images of one size only"
    elif size < _MIN_SIDE_TO_SHRINK:
        why = f"images of {size} px are small as they are"
    else:
        why = (
            "images as they are; 0.75 halves the time, and a last phase "
            "brings the upper layers to the full size"
        )
    return {
        "low_resolution": (None, why),
        "high_resolution_steps": (
            int(np.clip(num_labeled // 10, 100, 1000)),
            "only with `low_resolution`: the last phase is short, or the "
            "labels are learned by heart",
        ),
    }
