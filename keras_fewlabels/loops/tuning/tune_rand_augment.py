import dataclasses
import itertools
import tempfile

import keras
import numpy as np

from keras_fewlabels.foundation.arguments import check_int
from keras_fewlabels.layers.rand_augment import RandAugment
from keras_fewlabels.layers.rand_augment.checks import (
    check_images,
    check_values,
)
from keras_fewlabels.loops.tuning.augmented_training import AugmentedTraining
from keras_fewlabels.loops.tuning.rand_augment_search import (
    check_directory,
    search,
)


def tune_rand_augment(
    build_model,
    x,
    y,
    validation_data,
    num_ops=(1, 2, 3),
    magnitudes=(3, 5, 7, 10, 14),
    max_trials=10,
    epochs=10,
    batch_size=32,
    ops=None,
    value_range=(0, 255),
    directory=None,
    seed=0,
    verbose=0,
    table="randaugment",
):
    """Tries settings of RandAugment, each on a model of its own.

    Every trial builds a new model from the same seed, puts `RandAugment` in
    front of it, trains it, and measures its accuracy on the validation data
    after the last epoch. The first trial is without augmentation, so that
    one sees what augmentation is worth; magnitude 0 is not that, as
    `equalize` and others change images at any magnitude. If there are more
    settings than trials, the seed draws which of the others are tried.

    The validation data choose, so they cannot judge: take other images to
    measure the final model. With few of them, differences between settings
    of one or two images are chance.

    Reference:
        - [Cubuk et al., 2020](https://arxiv.org/abs/1909.13719), who search
          the same two numbers by a grid.

    Args:
        build_model: Function without arguments that returns a new compiled
            Keras model with `metrics=["accuracy"]`.
        x: Array of images, of shape `(num_images, height, width, channels)`.
        y: Array of labels.
        validation_data: Pair of such arrays, of other images.
        num_ops: Sequence of ints above 0.
        magnitudes: Sequence of numbers, 0 or more.
        max_trials: Int, how many settings are tried, the one without
            augmentation among them. `1 + len(num_ops) * len(magnitudes)` is
            the whole grid.
        epochs: Int, epochs of each trial.
        batch_size: Int.
        ops: As for `layers.RandAugment`.
        value_range: Pair, the values of black and white in `x`.
        directory: Optional string or path, for the files of KerasTuner. The
            same call goes on there after it was stopped. Settings, data,
            initial weights and optimizer are compared with those there, and
            refused if they differ; pass a new directory after any other
            change of `build_model`. By default files are removed at the end.
        seed: Int, for `keras.utils.set_random_seed` before each trial.
        verbose: 0, or 1 for what KerasTuner prints.
        table: As for `layers.RandAugment`. What `fit_noisy_student` takes by
            default is `"fixmatch"`.

    Returns:
        A `loops.RandAugmentTrials`: `num_ops` and `magnitude` of the best
        trial, `accuracies` of all, `layer()`, and a table for `print()`.

    Raises:
        ValueError: If an argument is no such thing, `build_model` returns no
            new compiled model, or the directory has another search.
        ImportError: If KerasTuner is not installed.

    Example:

    >>> def build_model():
    ...     model = keras.Sequential(
    ...         [keras.Input((4, 4, 1)), keras.layers.Flatten()]
    ...         + [keras.layers.Dense(2, activation="softmax")]
    ...     )
    ...     loss = "sparse_categorical_crossentropy"
    ...     model.compile("adam", loss, metrics=["accuracy"])
    ...     return model
    >>> x, y = np.zeros((8, 4, 4, 1), "uint8"), np.arange(8) % 2
    >>> trials = keras_fewlabels.loops.tune_rand_augment(
    ...     build_model, x, y, (x, y), [1], [3, 9], epochs=1, ops=["rotate"]
    ... )
    >>> print(trials)
    num_ops  magnitude  accuracy in %
          0          0           50.0  <- best
          1          3           50.0
          1          9           50.0
    """
    if not callable(build_model):
        raise ValueError(
            "`build_model` must be a function that returns a new compiled "
            f"Keras model. Received: build_model={build_model!r}"
        )
    check_int(epochs, "epochs")
    check_int(batch_size, "batch_size")
    check_int(seed, "seed", 0)
    options = {"ops": ops, "value_range": value_range, "table": table}
    settings = rand_augment_settings(num_ops, magnitudes, max_trials, seed)
    for setting in settings:
        # Refuses now what would end the search later.
        RandAugment(*setting, **options)
    train = _arrays("x, y", (x, y), value_range)
    validation = _arrays("validation_data", validation_data, value_range)
    training = AugmentedTraining(
        build_model, train, validation, epochs, batch_size, seed, options
    )
    with tempfile.TemporaryDirectory() as temporary:
        if directory is not None:
            check_directory(
                directory, {"settings": settings, **training.description()}
            )
        accuracies = search(
            settings, training.accuracy_of, directory or temporary, verbose
        )
    return RandAugmentTrials(accuracies, options)


def _arrays(name, pair, value_range):
    is_pair = isinstance(pair, tuple | list) and len(pair) == 2
    if not is_pair or not all(hasattr(part, "shape") for part in pair):
        raise ValueError(
            f"`{name}` must be an array of images and an array of labels; "
            "few labelled images fit into memory, so datasets are not taken. "
            f"Received: {name} of type {_types(pair)}"
        )
    images, labels = map(keras.ops.convert_to_numpy, pair)
    check_images(images, value_range)
    check_values(images, value_range)
    if not len(images) == len(labels) > 0:
        raise ValueError(
            f"`{name}` must have one image or more, and one label for each. "
            f"Received: {len(images)} images, {len(labels)} labels"
        )
    return images, labels


def _types(pair):
    parts = pair if isinstance(pair, tuple | list) else [pair]
    return ", ".join(type(part).__name__ for part in parts)


def rand_augment_settings(num_ops, magnitudes, max_trials, seed):
    """The settings that a search tries: a grid, or a draw from it.

    Args:
        num_ops: Sequence of ints above 0.
        magnitudes: Sequence of numbers.
        max_trials: Int, 2 or more.
        seed: Int.

    Returns:
        List of at most `max_trials` pairs `(num_ops, magnitude)`, the first
        of which is `(0, 0)`, no augmentation.

    Raises:
        ValueError: If there is nothing to try, or 0 among `num_ops`.

    Example:

    >>> from keras_fewlabels.loops.tuning.tune_rand_augment import (
    ...     rand_augment_settings,
    ... )
    >>> rand_augment_settings([1, 2], [5], max_trials=10, seed=0)
    [(0, 0), (1, 5), (2, 5)]
    """
    if not isinstance(max_trials, int) or max_trials < 2:
        raise ValueError(
            "`max_trials` must be an int, 2 or more: the first trial is "
            f"without augmentation. Received: max_trials={max_trials}"
        )
    are_lists = np.iterable(num_ops) and np.iterable(magnitudes)
    grid = itertools.product(num_ops, magnitudes) if are_lists else ()
    grid = list(dict.fromkeys(grid))
    if not grid or any(count == 0 for count, _ in grid):
        raise ValueError(
            "`num_ops` and `magnitudes` must be lists of one value or more, "
            "and `num_ops` none of 0, which is always tried. "
            f"Received: num_ops={num_ops}, magnitudes={magnitudes}"
        )
    if len(grid) >= max_trials:
        order = np.random.default_rng(seed).permutation(len(grid))
        grid = [grid[number] for number in sorted(order[: max_trials - 1])]
    return [(0, 0), *grid]


@dataclasses.dataclass(frozen=True)
class RandAugmentTrials:
    """How accurate a model became with each setting of RandAugment.

    `loops.tune_rand_augment` returns it. `print(trials)` shows the table.

    Args:
        accuracies: Dict of pairs `(num_ops, magnitude)` to the accuracy on
            the validation data, a float in 0 to 1. `(0, 0)` is training
            without augmentation.
        options: Optional dict of further arguments of the `RandAugment` that
            was tried, such as `value_range`.

    Attributes:
        num_ops: Int, from the best setting. Among equals, which are frequent
            with few validation images, the weakest counts: fewest ops, then
            the smallest magnitude.
        magnitude: Number, from the same setting.

    Example:

    >>> from keras_fewlabels.loops.tuning.tune_rand_augment import (
    ...     RandAugmentTrials,
    ... )
    >>> trials = RandAugmentTrials(
    ...     {(0, 0): 0.8, (1, 5): 0.875, (2, 5): 0.875}
    ... )
    >>> trials.num_ops, trials.magnitude
    (1, 5)
    >>> print(trials)
    num_ops  magnitude  accuracy in %
          0          0           80.0
          1          5           87.5  <- best
          2          5           87.5
    >>> trials.layer(seed=0).num_ops
    1
    """

    accuracies: dict
    options: dict = dataclasses.field(default_factory=dict)

    @property
    def num_ops(self):
        return self._best[0]

    @property
    def magnitude(self):
        return self._best[1]

    def layer(self, seed=None):
        """Returns a new `RandAugment` with the best setting.

        If no augmentation was best, images pass through it.
        """
        return RandAugment(
            self.num_ops, self.magnitude, seed=seed, **self.options
        )

    @property
    def _best(self):
        highest = max(self.accuracies.values())
        return min(s for s, a in self.accuracies.items() if a == highest)

    def __str__(self):
        lines = ["num_ops  magnitude  accuracy in %"]
        for setting, accuracy in self.accuracies.items():
            num_ops, magnitude = setting
            mark = "  <- best" if setting == self._best else ""
            percent = f"{100 * accuracy:.1f}"
            lines.append(f"{num_ops:7}{magnitude:11}{percent:>15}{mark}")
        return "\n".join(lines)
