import keras
import numpy as np

from keras_fewlabels.callbacks.backup.global_generators import (
    GlobalGenerators,
    seed_global_generators,
)
from keras_fewlabels.foundation.arguments import check_int


class SeedEpochs(keras.callbacks.Callback):
    """Makes what is random in an epoch depend on a seed and its number alone.

    Keras backs up weights and optimizer, but not the state of its random
    numbers: a fit that is killed and resumed by `BackupAndRestore` goes on
    with other dropout, other augmentation and another order. With this
    callback every epoch starts from its own seed: the layers of the model,
    the order of `batches`, and Python's, NumPy's and torch's generators, with
    which `fit()` shuffles arrays (TensorFlow has its own way, which
    `keras.utils.set_random_seed` fixes) and `PyDataset`s. The three are as
    they were when the fit ends. The order of a `tf.data.Dataset` that
    shuffles is its own.

    `callbacks.ExactBackup` does all this and backs up the fit as well.

    Args:
        seed: Int, 0 or more.
        batches: Optional dataset that has `begin_epoch(epoch)`, as the one of
            `data.mix_labeled_unlabeled` has. `NoisyStudentModel.fit()` passes
            on what it is fitted on.

    Raises:
        ValueError: If an argument is no such thing.

    Example:

    >>> noise = keras.layers.GaussianNoise(1.0)
    >>> model = keras.Sequential([keras.Input((2,)), noise])
    >>> callback = keras_fewlabels.callbacks.SeedEpochs(seed=0)
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
                "`batches` must have a `begin_epoch(epoch)`, as the dataset "
                "of `data.mix_labeled_unlabeled` has, with nothing mapped or "
                "repeated after it. "
                f"Received: batches of type {type(batches).__name__}"
            )
        self.seed = seed
        self.batches = batches
        self._fitted = None
        self._generators = None

    def order_epochs(self, dataset):
        """Is told by a model what it is fitted on.

        Args:
            dataset: What `fit()` received.

        Returns:
            Boolean, whether the order of its epochs can be repeated.
        """
        has_order = hasattr(dataset, "begin_epoch")
        self._fitted = dataset if has_order else None
        return has_order or self.batches is not None

    def on_train_begin(self, logs=None):
        self._generators = GlobalGenerators()

    def on_epoch_begin(self, epoch, logs=None):
        for batches in (self.batches, self._fitted):
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
        self._generators.restore()
        # `BackupAndRestore` leaves it behind, and the next fit would start
        # from there.
        self.model._initial_epoch = None


def seed_generator_states(model):
    """The variables in which Keras's seed generators count their draws."""
    return [
        variable
        for variable in model.variables
        if variable.name == "seed_generator_state"
    ]
