import tempfile

import keras

from keras_fewlabels.data.arguments import check_int
from keras_fewlabels.layers.rand_augment import RandAugment
from keras_fewlabels.layers.rand_augment_checks import (
    check_images,
    check_values,
)
from keras_fewlabels.loops.augmented_training import AugmentedTraining
from keras_fewlabels.loops.rand_augment_search import check_directory, search
from keras_fewlabels.loops.rand_augment_settings import (
    rand_augment_settings,
)
from keras_fewlabels.loops.rand_augment_trials import RandAugmentTrials


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
