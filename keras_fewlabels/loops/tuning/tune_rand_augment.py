import itertools
import json

import keras
import numpy as np

from keras_fewlabels.data.checks import check_values
from keras_fewlabels.data.sources import labeled_arrays
from keras_fewlabels.foundation import (
    check_int,
    check_verbose,
    resolve_value_range,
    writable_folder,
    write_whole,
)
from keras_fewlabels.layers.rand_augment import RandAugment
from keras_fewlabels.loops.read_json import read_json
from keras_fewlabels.loops.tuning.augmented_training import AugmentedTraining
from keras_fewlabels.loops.tuning.rand_augment_trials import RandAugmentTrials


def tune_rand_augment(
    build_model,
    labeled,
    validation_data,
    *,
    num_ops=(1, 2, 3),
    magnitudes=(3, 5, 7, 10, 14),
    table="fixmatch",
    ops=None,
    value_range=None,
    max_trials=10,
    epochs=10,
    batch_size=32,
    backup_dir=None,
    seed=0,
    verbose="auto",
):
    """Tries settings of RandAugment, each on a new model.

    Every trial builds a new model from the same seed, puts `RandAugment` in
    front of it, trains it, and measures its accuracy on the validation data
    after the last epoch. The first trial has no augmentation, which shows
    what augmentation is worth. (Magnitude 0 would not do: `equalize` and
    other ops change images at any magnitude.) If there are more settings than
    trials, the seed draws which of the others are tried.

    The validation data choose the setting, so their accuracy is too good for
    the final model. Measure that on other images. With few validation images,
    differences of one or two images between settings are chance.

    Reference:
        - [Cubuk et al., 2020](https://arxiv.org/abs/1909.13719), who search
          the same two numbers by a grid.

    Args:
        build_model: Function without arguments that returns a new compiled
            Keras model with `metrics=["accuracy"]`.
        labeled: Pair of arrays `(images, labels)`, of shapes
            `(num_images, height, width, channels)` and `(num_images,)` or
            `(num_images, num_classes)`; or a `tf.data.Dataset` or `PyDataset`
            of such pairs.
        validation_data: As `labeled`, with other images.
        num_ops: Sequence of ints above 0.
        magnitudes: Sequence of numbers, 0 or more, on the scale of `table`.
        table: String, as for `layers.RandAugment`. The default is that of
            `fit_noisy_student`, so that a magnitude found here fits there.
        ops: As for `layers.RandAugment`.
        value_range: Pair of numbers, the values of black and white. By
            default `(0, 255)` for images of uint8, and for others the
            narrowest of `(0, 1)`, `(-1, 1)` and `(0, 255)` that holds all
            values of the labelled images.
        max_trials: Int, 2 or more, the number of settings to try, including
            the one without augmentation. `1 + len(num_ops) * len(magnitudes)`
            is the whole grid.
        epochs: Int, the epochs of each trial.
        batch_size: Int.
        backup_dir: Optional string or path of a folder. Each finished trial
            is written to `rand_augment.json` in it, and the same call resumes
            there after it was stopped. Settings, data, initial weights and
            optimizer must be the same. After any other change of
            `build_model`, take a new folder.
        seed: Int, for `keras.utils.set_random_seed` before each trial.
        verbose: `"auto"`, 0, 1 or 2, as for `fit()`: how the progress over
            the trials is shown.

    Returns:
        A result with the `suggestion`, the pair `(num_ops, magnitude)` of the
        most accurate model; `accuracies`, a dict of all pairs to accuracies;
        and `layer()`, which returns a `RandAugment` with the suggestion.
        `print()` shows a table, `figure()` draws the accuracies, `to_dict()`
        and `save(folder)` keep them.

    Raises:
        ValueError: If an argument is out of its range, `build_model` does not
            return a new compiled model with an accuracy, or `backup_dir` has
            the trials of another search or a damaged file.
        OSError: If `backup_dir` cannot be written to.

    Example:

    >>> def build_model():
    ...     model = keras.Sequential(
    ...         [keras.Input((4, 4, 1)), keras.layers.Flatten()]
    ...         + [keras.layers.Dense(2, activation="softmax")]
    ...     )
    ...     loss = "sparse_categorical_crossentropy"
    ...     model.compile("adam", loss, metrics=["accuracy"])
    ...     return model
    >>> data = np.zeros((8, 4, 4, 1), "uint8"), np.arange(8) % 2
    >>> trials = keras_fewlabels.loops.tune_rand_augment(
    ...     build_model,
    ...     data,
    ...     data,
    ...     num_ops=[1],
    ...     magnitudes=[3, 9],
    ...     ops=["rotate"],
    ...     epochs=1,
    ...     verbose=0,
    ... )
    >>> print(trials)
    num_ops  magnitude  accuracy in %
          0          0           50.0  <- suggestion
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
    verbose = check_verbose(verbose)
    labeled, validation_data, value_range = _read(
        labeled, validation_data, value_range
    )
    options = {"ops": ops, "value_range": value_range, "table": table}
    settings = rand_augment_settings(num_ops, magnitudes, max_trials, seed)
    for setting in settings:
        # Raises errors now that would end the search later.
        RandAugment(*setting, **options)
    training = AugmentedTraining(
        build_model, labeled, validation_data, epochs, batch_size, seed, options
    )
    backup = TrialsBackup(backup_dir, settings, training)
    bar = keras.utils.Progbar(
        len(settings),
        verbose=verbose,
        stateful_metrics=["accuracy"],
        unit_name="trial",
    )
    for setting in settings[len(backup.accuracies) :]:
        accuracy = training.measure_accuracy(*setting)
        backup.add(accuracy)
        bar.update(len(backup.accuracies), [("accuracy", accuracy)])
    accuracies = dict(zip(settings, backup.accuracies, strict=True))
    return RandAugmentTrials(accuracies, options)


def _read(labeled, validation_data, value_range):
    labeled = labeled_arrays(labeled, "labeled")
    validation_data = labeled_arrays(validation_data, "validation_data")
    value_range = resolve_value_range(value_range, labeled[0], "labeled")
    check_values(labeled[0], "labeled", value_range)
    check_values(validation_data[0], "validation_data", value_range)
    return labeled, validation_data, value_range


def rand_augment_settings(num_ops, magnitudes, max_trials, seed):
    """Returns the settings that a search tries: a grid, or a draw from it.

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
    hint = "The first trial is without augmentation"
    check_int(max_trials, "max_trials", 2, hint=hint)
    are_lists = np.iterable(num_ops) and np.iterable(magnitudes)
    grid = itertools.product(num_ops, magnitudes) if are_lists else ()
    grid = list(dict.fromkeys(grid))
    if not grid or any(count == 0 for count, _ in grid):
        raise ValueError(
            "`num_ops` and `magnitudes` must be lists of one value or more, "
            "and `num_ops` without 0, which is always tried. "
            f"Received: num_ops={num_ops}, magnitudes={magnitudes}"
        )
    if len(grid) >= max_trials:
        order = np.random.default_rng(seed).permutation(len(grid))
        grid = [grid[number] for number in sorted(order[: max_trials - 1])]
    return [(0, 0), *grid]


class TrialsBackup:
    """The accuracies of the finished trials, in a file if there is a folder.

    Args:
        backup_dir: String or path of a folder, or `None`.
        settings: List of pairs `(num_ops, magnitude)`, in the order in which
            they are tried.
        training: The `AugmentedTraining` that measures the accuracies.

    Attributes:
        accuracies: List of floats, of the first settings.

    Raises:
        ValueError: If `backup_dir` is no path, or its file is damaged or has
            the trials of another search.
        OSError: If `backup_dir` cannot be written to.
    """

    def __init__(self, backup_dir, settings, training):
        self.accuracies = []
        self._file = None
        if backup_dir is None:
            return
        folder = writable_folder(backup_dir, "backup_dir")
        self._file = folder / "rand_augment.json"
        search = {"settings": settings, **training.to_dict()}
        # JSON turns tuples into lists.
        self._search = json.loads(json.dumps(search))
        if self._file.exists():
            self.accuracies = self._read()

    def add(self, accuracy):
        """Adds the accuracy of the next setting, and writes the file."""
        self.accuracies.append(accuracy)
        if self._file is not None:
            content = {"search": self._search, "accuracies": self.accuracies}
            write_whole(self._file, json.dumps(content, indent=1))

    def _read(self):
        received = f"Received: backup_dir={str(self._file.parent)!r}"
        remedy = "Pass a new `backup_dir`, or remove the old one"
        content = read_json(self._file, f"{remedy}. {received}")
        old = content.get("search", {}) if isinstance(content, dict) else {}
        differing = [
            name
            for name, value in self._search.items()
            if old.get(name) != value
        ]
        if differing:
            raise ValueError(
                "The folder holds the trials of another search, which say "
                f"nothing about this one. {remedy}. {received}, which differs "
                f"in {', '.join(differing)}"
            )
        return content["accuracies"]
