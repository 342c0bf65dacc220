import keras
import numpy as np

from keras_fewlabels.data.arguments import check_int


class SeedEpochs(keras.callbacks.Callback):
    """Makes what is random in an epoch depend on a seed and its number alone.

    Keras backs up weights and optimizer, but not the state of its random
    numbers: a fit that is killed and resumed by `BackupAndRestore` goes on
    with other dropout, other augmentation and another order. With this
    callback the layers of the model start every epoch from its own seed, and
    so does the order of `batches`; that of other data is left to Keras.

    Args:
        seed: Int, 0 or more.
        batches: Optional dataset that has `begin_epoch(epoch)`.

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
                "`batches` must have a `begin_epoch(epoch)`, as the "
                "`PyDataset` of `data.mix_labeled_unlabeled` has. "
                f"Received: batches of type {type(batches).__name__}"
            )
        self.seed = seed
        self.batches = batches

    def on_epoch_begin(self, epoch, logs=None):
        if self.batches is not None:
            self.batches.begin_epoch(epoch)
        states = seed_generator_states(self.model)
        numbers = np.random.SeedSequence((self.seed, epoch)).generate_state(
            2 * len(states) + 1
        )
        _seed_torch(numbers[0])
        pairs = numbers[1:].reshape(-1, 2)
        for state, pair in zip(states, pairs, strict=True):
            state.assign(pair)


def _seed_torch(number):
    # There, dropout without a seed draws from the generator of torch itself.
    if keras.backend.backend() == "torch":
        import torch

        torch.manual_seed(int(number))


def seed_generator_states(model):
    """The variables in which Keras's seed generators count their draws."""
    return [
        variable
        for variable in model.variables
        if variable.name == "seed_generator_state"
    ]
