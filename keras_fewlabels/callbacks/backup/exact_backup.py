import random

import keras

from keras_fewlabels.callbacks.backup.epoch_backup import EpochBackup
from keras_fewlabels.callbacks.backup.seed_epochs import SeedEpochs
from keras_fewlabels.foundation.arguments import check_seed


class ExactBackup(keras.callbacks.Callback):
    """Backs up a fit, so that a killed one ends as if it had not been.

    `keras.callbacks.BackupAndRestore` goes on with other random numbers and
    another order of the data, may take up weights that are an epoch ahead of
    their number, forgets the history, and makes the next `fit()` start late.
    Here a process that is killed at any moment and started again ends with
    the same weights, bit for bit where the backend's ops are deterministic
    (on TensorFlow after `tf.config.experimental.enable_op_determinism()`).

    Start the process with `keras.utils.set_random_seed`, and put the callback
    last. What is backed up is what `SeedEpochs` does not set anew: weights,
    averages and policies among them, the optimizer, the seed, the history.
    Then these are exact:

    - `NoisyStudentModel` and its methods on what
      `data.mix_labeled_unlabeled` returns, and `FineTune`;
    - `PseudoLabeler` with a `cache_dir`;
    - other models, on arrays, on `PyDataset`s without workers, and on
      datasets that come in the same order in every epoch.

    These are not: a `tf.data.Dataset` that shuffles or draws by itself;
    layers that draw from no `keras.random.SeedGenerator`; callbacks that
    count epochs, such as `EarlyStopping`, which begin to count anew.

    Args:
        backup_dir: Folder for this fit alone; made if it is not there.
        save_freq: `"epoch"`, which is all there is: within an epoch Keras
            cannot go on, and would repeat steps.
        double_checkpoint: Boolean, whether to keep the backup before the
            last, for a file that is damaged on disk. Damaged files are named
            in a warning and not used.
        delete_checkpoint: Boolean, whether the folder is removed when the fit
            ends.
        seed: Optional int, as for `SeedEpochs`. By default it follows
            `keras.utils.set_random_seed`.
        batches: Optional dataset of your own that has `begin_epoch(epoch)`,
            as for `SeedEpochs`.

    Raises:
        ValueError: If an argument is no such thing; before `fit()` trains, if
            the model is not built or the backup is one of another model,
            optimizer or seed; or if a `NoisyStudentModel` is fitted on data
            whose order cannot be repeated.

    Example:

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x, y = np.ones((8, 2)), np.ones((8, 1))
    >>> def fit(epochs):
    ...     backup = keras_fewlabels.callbacks.ExactBackup(
    ...         folder, delete_checkpoint=epochs == 3
    ...     )
    ...     return model.fit(x, y, epochs=epochs, callbacks=[backup], verbose=0)
    >>> len(fit(epochs=2).history["loss"])  # and killed
    2
    >>> len(fit(epochs=3).history["loss"])  # of which one was trained now
    3
    """

    def __init__(
        self,
        backup_dir,
        save_freq="epoch",
        double_checkpoint=False,
        delete_checkpoint=True,
        seed=None,
        batches=None,
    ):
        super().__init__()
        if not backup_dir:
            raise ValueError(
                "`backup_dir` must be a folder for this fit alone. "
                f"Received: backup_dir={backup_dir!r}"
            )
        if save_freq != "epoch":
            raise ValueError(
                "`save_freq` must be 'epoch'. A fit that goes on within an "
                "epoch would repeat steps; for shorter epochs pass "
                "`steps_per_epoch` where the dataset is made. "
                f"Received: save_freq={save_freq!r}"
            )
        check_seed(seed)
        self.backup_dir = backup_dir
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self.seed = seed
        self._backup = EpochBackup(backup_dir, 2 if double_checkpoint else 1)
        # Python's generator is one that `keras.utils.set_random_seed` sets.
        self._seeds = SeedEpochs(
            random.getrandbits(32) if seed is None else seed, batches
        )
        self._logs = {}
        self._resumed = {}

    def order_epochs(self, dataset):
        """Is told by a model what it is fitted on, as `SeedEpochs` is."""
        if not self._seeds.order_epochs(dataset):
            raise ValueError(
                "The order of the data cannot be repeated after a crash. Fit "
                "on what `data.mix_labeled_unlabeled` returns as it is, or "
                "pass a dataset with `begin_epoch(epoch)` as `batches`. "
                f"Received: {type(dataset).__name__} without `begin_epoch`"
            )
        return True

    def set_model(self, model):
        super().set_model(model)
        self._seeds.set_model(model)

    def on_train_begin(self, logs=None):
        model = self.model
        if not model.built:
            raise ValueError(
                "The model must be built before it is fitted, to be given "
                "back its weights. Add a `keras.Input`, or call "
                f"`model.build(input_shape)`. Received: {model.name!r}"
            )
        self._logs, self._resumed = {}, {}
        self._seeds.on_train_begin()
        restored = self._backup.restore(model)
        model._initial_epoch = None
        if restored is not None:
            model._initial_epoch = self._resume(*restored)

    def _resume(self, epoch, facts):
        """Takes up what is backed up; the epoch to go on with."""
        if self.seed not in (None, facts["seed"]):
            raise ValueError(
                "The backup is one of a fit with another seed. Give this fit "
                "a folder of its own, or remove the backup. "
                f"Received: seed={self.seed}, backed up: {facts['seed']}"
            )
        self._seeds.seed = facts["seed"]
        self._logs = dict(facts["logs"])
        self._resumed = dict(self._logs)
        return self.params["epochs"] if facts["stopped"] else epoch

    def on_epoch_begin(self, epoch, logs=None):
        self._give_back_history()
        self._seeds.on_epoch_begin(epoch)

    def on_epoch_end(self, epoch, logs=None):
        self._logs[epoch] = {
            name: float(value) for name, value in (logs or {}).items()
        }
        facts = {
            "seed": self._seeds.seed,
            "stopped": self.model.stop_training,
            "logs": list(self._logs.items()),
        }
        self._backup.write(self.model, epoch + 1, facts)

    def on_train_end(self, logs=None):
        self._give_back_history()
        # It also makes sure that the next fit does not start late.
        self._seeds.on_train_end()
        if self.delete_checkpoint:
            self._backup.remove()

    def _give_back_history(self):
        """Puts the epochs of a killed fit in front of those of this one."""
        resumed, self._resumed = self._resumed, {}
        history = self.model.history
        if resumed and history is not None:
            history.epoch = list(resumed)
            for logs in resumed.values():
                for name, value in logs.items():
                    history.history.setdefault(name, []).append(value)
