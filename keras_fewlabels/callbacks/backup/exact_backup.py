import random

import keras

from keras_fewlabels.callbacks.backup.epoch_backup import (
    EpochBackup,
    plain_logs,
)
from keras_fewlabels.callbacks.backup.fit_settings import FitSettings
from keras_fewlabels.callbacks.backup.seed_epochs import SeedEpochs
from keras_fewlabels.callbacks.starting_point import check_built
from keras_fewlabels.foundation import (
    check_bool,
    check_seed,
    folder_path,
    set_initial_epoch,
    writable_folder,
)


class ExactBackup(keras.callbacks.Callback):
    """Backs up a fit, so that a killed fit ends like one that was not killed.

    After a crash, `keras.callbacks.BackupAndRestore` goes on with other random
    numbers and another order of the data. It may load weights that are one
    epoch ahead, it forgets the history, and it makes the next `fit()` start
    late. With this callback, a process that is killed at any moment and
    started again ends with the same weights. They are the same bit for bit
    where the ops of the backend are deterministic (on TensorFlow after
    `tf.config.experimental.enable_op_determinism()`).

    Start the process with `keras.utils.set_random_seed`. Wherever the callback
    stands in the list, it is called after the others. It backs up the weights
    of the model (averages and policies among them), the optimizer, the seed
    and the history. At the start of each epoch it seeds the layers, the order
    of the data, and the generators of Python, NumPy and torch from the seed
    and the number of the epoch.

    These fits are repeated exactly:

    - `NoisyStudentModel` and its subclasses on the dataset of
      `data.mix_labeled_unlabeled`, and fits with `FineTune`;
    - `PseudoLabeler` with a `cache_dir`;
    - other models, on arrays, on `PyDataset`s without workers, and on
      datasets that come in the same order in every epoch.

    These are not: a `tf.data.Dataset` that shuffles or draws by itself;
    layers that draw without a `keras.random.SeedGenerator`; callbacks that
    count epochs, such as `EarlyStopping`, which begin to count again.

    Args:
        backup_dir: Path of a folder for this fit alone. It is created if it
            does not exist.
        double_checkpoint: Boolean. If `True`, the backup before the last one
            is kept, in case a file is damaged on disk. A warning names
            damaged files, and they are not used.
        delete_checkpoint: Boolean. If `True`, the backup is removed when the
            fit ends.
        seed: Optional int, 0 or more. By default it follows
            `keras.utils.set_random_seed`.
        batches: Optional dataset of your own with a method
            `begin_epoch(epoch)` that sets the order of an epoch.

    Raises:
        ValueError: If `backup_dir` is not a path, `seed` is not an int of at
            least 0, or `batches` has no `begin_epoch`. At the start of
            `fit()`, if the model is not built, or the backup belongs to a fit
            with other data (of a dataset the first images are compared),
            other images for `PseudoLabeler`, or another batch size, model,
            loss, optimizer, learning rate or seed; or if a
            `NoisyStudentModel` is fitted on data whose order cannot be
            repeated, such as a part of a dataset by `steps_per_epoch`.
        OSError: At the start of `fit()`, if `backup_dir` takes no new files.

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

    # A backup of what the other callbacks have changed in an epoch. They may
    # also change what tells one fit from another, such as the learning rate.
    comes_last = True

    def __init__(
        self,
        backup_dir,
        *,
        double_checkpoint=False,
        delete_checkpoint=True,
        seed=None,
        batches=None,
    ):
        super().__init__()
        check_bool(double_checkpoint, "double_checkpoint")
        check_bool(delete_checkpoint, "delete_checkpoint")
        check_seed(seed)
        # Python's generator is one that `keras.utils.set_random_seed` sets.
        self._seeds = SeedEpochs(
            random.getrandbits(32) if seed is None else seed, batches
        )
        self.backup_dir = folder_path(backup_dir, "backup_dir")
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self.seed = seed
        self._backup = EpochBackup(
            self.backup_dir, num_kept=2 if double_checkpoint else 1
        )
        self._settings = FitSettings()
        self._logs = {}
        self._resumed = {}

    def set_dataset(self, dataset):
        """Sets the dataset of the fit, whose order each epoch then seeds.

        `NoisyStudentModel.fit()` calls it.

        Args:
            dataset: The dataset that `fit()` received.

        Raises:
            ValueError: If its order cannot be repeated after a crash.
        """
        if not self._seeds.set_dataset(dataset):
            raise ValueError(
                "The order of the data cannot be repeated after a crash. Fit "
                "on what `data.mix_labeled_unlabeled` returns as it is, or "
                "pass a dataset with `begin_epoch(epoch)` as `batches`. "
                f"Received: {type(dataset).__name__} without `begin_epoch`"
            )

    def set_model(self, model):
        super().set_model(model)
        self._seeds.set_model(model)

    def on_train_begin(self, logs=None):
        model = self.model
        check_built(model)
        writable_folder(self.backup_dir, "backup_dir")
        self._logs, self._resumed = {}, {}
        self._seeds.check_steps(self.params.get("steps"))
        self._seeds.on_train_begin()
        self._settings.begin(model, self.params.get("steps"))
        restored = self._backup.restore(model, self._check)
        first_epoch = None if restored is None else self._resume(*restored)
        set_initial_epoch(model, first_epoch)

    def _check(self, facts):
        """Checks that the backup is one of this fit."""
        try:
            seed, others = facts["seed"], dict(facts["settings"])
            _ = {int(epoch): dict(logs) for epoch, logs in facts["logs"]}
            _ = facts["stopped"]
        except (KeyError, TypeError, ValueError):
            raise ValueError(
                "The backup has another layout than ExactBackup writes. "
                f"Remove it. Received: {str(self.backup_dir)!r}"
            ) from None
        if self.seed not in (None, seed):
            raise ValueError(
                "The backup belongs to a fit with another seed. Give this fit "
                "a folder of its own, or remove the backup. "
                f"Received: seed={self.seed}, backed up: {seed}"
            )
        different = self._settings.different(others)
        if different:
            raise ValueError(
                f"The backup belongs to a fit that differs in: {different}. "
                "Give this fit a folder of its own, or remove the backup. "
                f"Received: backup_dir={str(self.backup_dir)!r}"
            )

    def _resume(self, epoch, facts):
        """Takes over the facts of a backup and returns the next epoch."""
        self._seeds.seed = facts["seed"]
        self._logs = {int(epoch): logs for epoch, logs in facts["logs"]}
        self._resumed = dict(self._logs)
        return self.params["epochs"] if facts["stopped"] else epoch

    def on_epoch_begin(self, epoch, logs=None):
        self._restore_history()
        self._seeds.on_epoch_begin(epoch)

    def on_epoch_end(self, epoch, logs=None):
        self._logs[epoch] = plain_logs(logs)
        facts = {
            "seed": self._seeds.seed,
            "settings": self._settings.values,
            "stopped": bool(self.model.stop_training),
            "logs": list(self._logs.items()),
        }
        self._backup.write(self.model, epoch + 1, facts)

    def on_train_end(self, logs=None):
        self._restore_history()
        self._seeds.on_train_end()
        self._settings.end()
        if self.delete_checkpoint:
            self._backup.remove()

    def _restore_history(self):
        """Puts the epochs of a killed fit in front of those of this one."""
        resumed, self._resumed = self._resumed, {}
        history = self.model.history
        if resumed and history is not None:
            history.epoch = list(resumed)
            for logs in resumed.values():
                for name, value in logs.items():
                    history.history.setdefault(name, []).append(value)
