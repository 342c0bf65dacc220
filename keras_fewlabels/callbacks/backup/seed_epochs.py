import keras
import numpy as np

from keras_fewlabels.callbacks.backup.global_generators import (
    GlobalGenerators,
    seed_global_generators,
)
from keras_fewlabels.foundation import (
    check_int,
    set_initial_epoch,
    when_fit_ends,
)


class SeedEpochs(keras.callbacks.Callback):
    """Seeds each epoch from a seed and the number of the epoch alone.

    Keras backs up weights and optimizer, but not the state of its random
    numbers. A fit that is killed and resumed by `BackupAndRestore` goes on
    with other dropout, other augmentation and another order. This callback
    seeds at the start of each epoch:

    - the layers of the model;
    - the order of the dataset, if it has `begin_epoch(epoch)`;
    - the generators of Python, NumPy and torch, with which `fit()` shuffles
      arrays (on TensorFlow `keras.utils.set_random_seed` does that) and
      `PyDataset`s. They get their earlier states back when the fit ends,
      also by an error or Ctrl-C.

    A `tf.data.Dataset` that shuffles by itself is not seeded.

    Args:
        seed: Int, 0 or more.
        batches: Optional dataset with a method `begin_epoch(epoch)`, such as
            the one of `data.mix_labeled_unlabeled`. `NoisyStudentModel.fit()`
            calls `set_dataset` with the dataset of the fit.

    Raises:
        ValueError: If `seed` is not an int of at least 0, or `batches` has no
            `begin_epoch`.

    Example:

    >>> from keras_fewlabels.callbacks.backup.seed_epochs import SeedEpochs
    >>> noise = keras.layers.GaussianNoise(1.0)
    >>> model = keras.Sequential([keras.Input((2,)), noise])
    >>> callback = SeedEpochs(seed=0)
    >>> callback.set_model(model)
    >>> callback.on_epoch_begin(3)
    >>> first = model(np.zeros((1, 2)), training=True)
    >>> callback.on_epoch_begin(3)
    >>> second = model(np.zeros((1, 2)), training=True)
    >>> bool(keras.ops.all(first == second))
    True
    """

    def __init__(self, seed=0, batches=None):
        super().__init__()
        check_int(seed, "seed", 0)
        if batches is not None and not hasattr(batches, "begin_epoch"):
            raise ValueError(
                "`batches` must have a method `begin_epoch(epoch)`, as the "
                "dataset of `data.mix_labeled_unlabeled` has. Do not map or "
                "repeat that dataset. "
                f"Received: batches of type {type(batches).__name__}"
            )
        self.seed = seed
        self.batches = batches
        self._dataset = None
        self._generators = None

    def set_dataset(self, dataset):
        """Sets the dataset of the fit, whose order each epoch then seeds.

        Args:
            dataset: The dataset that `fit()` received.

        Returns:
            Boolean, whether the order of its epochs can be repeated.
        """
        has_order = hasattr(dataset, "begin_epoch")
        self._dataset = dataset if has_order else None
        return has_order or self.batches is not None

    def check_steps(self, steps):
        """Checks that a fit reads each epoch of its dataset to the end.

        The rest of a `tf.data.Dataset` would come in the next epoch, in an
        order that began with the epoch before.

        Args:
            steps: Int, the batches of an epoch of the fit, or `None`.

        Raises:
            ValueError: If it reads fewer or more.
        """
        dataset = self._dataset
        if steps is None or not hasattr(dataset, "cardinality"):
            return
        num_batches = int(dataset.cardinality())
        # Of an unknown or endless dataset the number is negative.
        if 0 <= num_batches != steps:
            raise ValueError(
                "The order of the images can be repeated only if each epoch "
                "has all batches of the dataset. Fit without "
                f"`steps_per_epoch`. Received: {steps} steps per epoch of "
                f"{num_batches} batches"
            )

    def on_train_begin(self, logs=None):
        self._generators = GlobalGenerators()
        when_fit_ends(self.on_train_end)

    def on_epoch_begin(self, epoch, logs=None):
        for batches in (self.batches, self._dataset):
            if batches is not None:
                batches.begin_epoch(epoch)
        states = seed_generator_states(self.model)
        numbers = np.random.SeedSequence((self.seed, epoch)).generate_state(
            2 * len(states) + 1
        )
        seed_global_generators(int(numbers[0]))
        pairs = numbers[1:].reshape(-1, 2)
        for state, pair in zip(states, pairs, strict=True):
            state.assign(pair)

    def on_train_end(self, logs=None):
        if self._generators is None:
            return
        self._generators.restore()
        self._generators = None
        # A callback that resumes a fit leaves its first epoch in the model,
        # and the next fit would begin with it.
        set_initial_epoch(self.model, None)


def seed_generator_states(model):
    """Returns the variables in which Keras's seed generators count draws."""
    return [
        variable
        for variable in model.variables
        if variable.name == "seed_generator_state"
    ]
