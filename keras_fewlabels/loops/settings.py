import collections.abc
import dataclasses

import numpy as np

from keras_fewlabels.foundation import (
    BOOL,
    NONE,
    Rule,
    check_arguments,
    choice_rule,
    int_rule,
    number_rule,
)
from keras_fewlabels.layers.rand_augment.tables import TABLES

# Names of earlier versions.
_RENAMED = {
    "teacher_noise": "supervised_noise",
    "labeled_view": "labeled_noise",
    "validation_share": "validation_split",
    "refit": "train_on_validation",
}


def _are_op_names(value):
    is_list = isinstance(value, list | tuple) and len(value) > 0
    return is_list and all(isinstance(name, str) for name in value)


_OPS = Rule("a list of names out of RandAugment.OPS", _are_op_names)


def _setting(*rules, default=dataclasses.MISSING):
    return dataclasses.field(metadata={"rules": rules}, default=default)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of `fit_noisy_student`, each with its reason.

    `recommend` returns all of them for a model and its images.
    `dataclasses.replace(settings, flip=False)` changes some of them.
    `fit_noisy_student(settings={"flip": False})` takes those that differ
    from the recommended ones.

    Args:
        pretrained: Boolean. If `True`, the model comes trained, and the run
            has these phases: a linear probe on its features, a head that
            learns from unlabelled features as well, fine-tuning on the
            labels, and rounds of fine-tuning on labels and pseudo-labels. If
            `False`, the run is the loop of Noisy Student.
        rounds: Int, how many such rounds there are for each of the
            `generations` of `fit_noisy_student`.
        balanced: Boolean. If `True`, all classes count alike, however many
            labels each has: the labels of rare classes count more, heads on
            features adjust their logits to the shares of the classes, and
            models are chosen by their balanced accuracy.
        batch_size: Int, the labelled images in a step; in the rounds of
            fine-tuning, all images.
        unlabeled_ratio: Positive number, the unlabelled images in a step for
            each labelled one.
        validation_split: Number from 0 to 0.5, the fraction of the labelled
            images that is set aside for validation if no validation data are
            passed. With more, a class of few images would have none left.
        train_on_validation: Boolean. If `True`, the phases after the
            supervised one train on the validation images as well.
        supervised_steps: Int, the steps of the supervised phase at most.
        student_steps: Int, the steps of each student, or of all fine-tuning
            together.
        steps_per_epoch: Int, the steps of an epoch at most. The models are
            validated after each epoch.
        patience: Int, the epochs without a lower validation loss after which
            the supervised phase ends.
        learning_rate: Positive number, the highest rate of AdamW.
        weight_decay: Number, 0 or more, of AdamW.
        label_smoothing: Number in `[0, 1)`.
        flip: Boolean. If `True`, images are mirrored at random.
        ops: List of names out of `RandAugment.OPS`, or `None` for all.
        num_ops: Int, 0 or more, how many ops `RandAugment` applies to an
            image.
        magnitude: Number, 0 or more, the strength of these ops.
        table: String, the table of strengths, as for `RandAugment`.
        fill_value: Number that is moved in from outside of the image; `None`
            for mid-grey.
        cutout: Boolean. If `True`, a square hole is cut into images.
        labeled_noise: `"strong"` or `"weak"`, the augmentation of the
            labelled images: that of the student's images, or small shifts.
        supervised_noise: Boolean. If `True`, the supervised phase has noise.
        student_noise: Boolean. If `True`, the students have noise.
        stochastic_depth: Number in `[0, 1)`, the rate at which residual
            branches are dropped under noise.
        teacher: `"average"`, with which the student goes on from the model
            before and is taught by its own average; or `"frozen"`, with which
            a new student learns from the model before.
        ema_decay: Number in `[0, 1)`, the decay of the average of weights;
            `None` for an average over a twentieth of the student's steps.
        threshold: Number in `[0, 1)`, the confidence below which a
            pseudo-label does not count.
        temperature: Positive number. Below 1 pseudo-labels are sharpened.
        unlabeled_weight: Number, 0 or more, the weight of the unlabelled
            loss.
        low_resolution: Number in `(0, 1)`, the fraction of the height and
            width of the images that all phases but the last train on; `None`
            for images as they are.
        high_resolution_steps: Int, the steps of that last phase.
        why: Optional dict of names of settings to sentences, the reasons.

    Raises:
        ValueError: If a value is out of range.

    Example:

    >>> import dataclasses
    >>> images = np.random.default_rng(0).random((300, 8, 8, 1))
    >>> model = keras.Sequential([keras.Input((8, 8, 1)),
    ...     keras.layers.Flatten(), keras.layers.Dense(2)])
    >>> settings = keras_fewlabels.loops.recommend(
    ...     model, (images[:20], np.arange(20) % 2), images[20:]
    ... )
    >>> dataclasses.replace(settings, batch_size=8).batch_size
    8
    >>> dataclasses.replace(settings, batch_size=0)
    Traceback (most recent call last):
    ValueError: `batch_size` must be an int, 1 or more. Received: batch_size=0
    """

    pretrained: bool = _setting(BOOL, default=False)
    rounds: int = _setting(int_rule(1), default=2)
    balanced: bool = _setting(BOOL, default=False)
    batch_size: int = _setting(int_rule(1))
    unlabeled_ratio: float = _setting(number_rule("(0, inf)"))
    validation_split: float = _setting(number_rule("[0, 0.5]"))
    train_on_validation: bool = _setting(BOOL)
    supervised_steps: int = _setting(int_rule(1))
    student_steps: int = _setting(int_rule(1))
    steps_per_epoch: int = _setting(int_rule(1))
    patience: int = _setting(int_rule(1))
    learning_rate: float = _setting(number_rule("(0, inf)"))
    weight_decay: float = _setting(number_rule("[0, inf)"))
    label_smoothing: float = _setting(number_rule("[0, 1)"))
    flip: bool = _setting(BOOL)
    ops: tuple[str, ...] | None = _setting(_OPS, NONE)
    num_ops: int = _setting(int_rule(0))
    magnitude: float = _setting(number_rule("[0, inf)"))
    table: str = _setting(choice_rule(*TABLES))
    fill_value: float | None = _setting(number_rule("(-inf, inf)"), NONE)
    cutout: bool = _setting(BOOL)
    labeled_noise: str = _setting(choice_rule("strong", "weak"))
    supervised_noise: bool = _setting(BOOL)
    student_noise: bool = _setting(BOOL)
    stochastic_depth: float = _setting(number_rule("[0, 1)"))
    teacher: str = _setting(choice_rule("average", "frozen"))
    ema_decay: float | None = _setting(number_rule("[0, 1)"), NONE)
    threshold: float = _setting(number_rule("[0, 1)"))
    temperature: float = _setting(number_rule("(0, inf)"))
    unlabeled_weight: float = _setting(number_rule("[0, inf)"))
    low_resolution: float | None = _setting(number_rule("(0, 1)"), NONE)
    high_resolution_steps: int = _setting(int_rule(1))
    why: dict[str, str] = dataclasses.field(
        default_factory=dict, compare=False, repr=False
    )

    def __post_init__(self):
        check_arguments(RULES, self)
        for name in RULES:
            object.__setattr__(self, name, _plain(getattr(self, name)))
        object.__setattr__(self, "why", dict(self.why))

    def __getitem__(self, name):
        check_setting_names([name])
        return getattr(self, name)

    def to_dict(self):
        """Returns all values, without the reasons, as a dict for JSON."""
        values = {name: getattr(self, name) for name in RULES}
        return {**values, "ops": self.ops and list(self.ops)}

    @classmethod
    def from_dict(cls, values):
        """Returns the settings that `to_dict` has made a dict of.

        Args:
            values: Dict with all names. Those that have a default and
                `"why"` may be missing.

        Raises:
            ValueError: If a name is unknown or missing, or a value is out of
                range.
        """
        values = check_setting_names(values)
        missing = [name for name in _NEEDED if name not in values]
        if missing:
            raise ValueError(
                "`values` must have all settings. `fit_noisy_student` takes a "
                "dict with some of them. Received: a dict without "
                f"{', '.join(missing)}"
            )
        return cls(**values)

    def with_changes(self, changes):
        """Returns settings of which some are replaced, "as given".

        Args:
            changes: Dict of names to values, or `Settings`.

        Raises:
            ValueError: If a name is unknown, or a value is out of range.
        """
        if isinstance(changes, Settings):
            changes = changes.to_dict()
        changes = check_setting_names(changes)
        changes.pop("why", None)
        settings = dataclasses.replace(self, **changes)
        for name in changes:
            if settings[name] != self[name]:
                settings.why[name] = "as given"
        return settings


RULES = {
    field.name: field.metadata["rules"]
    for field in dataclasses.fields(Settings)
    if field.metadata
}
# Files of version 0.1 do not have the others.
_NEEDED = [
    field.name
    for field in dataclasses.fields(Settings)
    if field.metadata and field.default is dataclasses.MISSING
]


def check_setting_names(settings):
    """Checks that all names are those of settings, or `"why"`.

    Args:
        settings: Dict by name, or list of names.

    Returns:
        A copy.

    Raises:
        ValueError: If a name is unknown. The message has the new name of a
            setting that was renamed.
    """
    unknown = [name for name in settings if name not in (*RULES, "why")]
    renamed = [
        f"{name!r} is now {_RENAMED[name]!r}"
        for name in unknown
        if name in _RENAMED
    ]
    if unknown:
        hint = f" {', '.join(renamed)}." if renamed else ""
        raise ValueError(
            f"`settings` may have {', '.join(RULES)}.{hint} "
            f"Received: {', '.join(sorted(map(str, unknown)))}"
        )
    return settings.copy()


def _plain(value):
    """Returns a value of Python's own types that cannot change."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, collections.abc.Sequence) and not isinstance(
        value, str
    ):
        return tuple(value)
    return value
