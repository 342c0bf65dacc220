import keras

from keras_fewlabels.foundation import compiled_learning_rate

_Schedule = keras.optimizers.schedules.LearningRateSchedule


class StageLearningRate:
    """Sets an optimizer's learning rate from the epochs at which it changes.

    A `LearningRateSchedule` counts batches from the epoch at which its stage
    begins, so that `CosineDecay(1e-4, decay_steps=500)` decays over the first
    500 batches of the stage. Before the first stage, the optimizer has the
    learning rate it was compiled with.

    Args:
        rates: Dict of the first epoch of a stage, counted from 0, to a float
            or a `LearningRateSchedule`.
    """

    def __init__(self, rates):
        self.rates = dict(sorted(rates.items()))
        self._compiled = None

    @property
    def has_schedule(self):
        """Whether some stage follows a schedule."""
        return any(isinstance(rate, _Schedule) for rate in self.rates.values())

    def remember(self, optimizer):
        """Stores the compiled learning rate for `restore()`.

        Raises:
            ValueError: If the optimizer was compiled with a
                `LearningRateSchedule`.
        """
        compiled = compiled_learning_rate(optimizer)
        if self.rates and isinstance(compiled, _Schedule):
            raise ValueError(
                "The learning rate of an optimizer that was compiled with a "
                "LearningRateSchedule cannot be set. Compile with a float and "
                "move the schedule to `learning_rates={0: schedule, ...}`. "
                f"Received: learning_rate={compiled!r}"
            )
        self._compiled = current_rate(optimizer)
        optimizer.stage_rate = None
        self._start = None
        self._schedule = None

    def begin_epoch(self, optimizer, epoch, steps_per_epoch):
        """Sets the learning rate with which an epoch starts.

        Args:
            optimizer: The compiled optimizer.
            epoch: Int, counted from 0.
            steps_per_epoch: Int, or `None` if it is unknown.

        Returns:
            Boolean, whether the stage differs from that of the last call.

        Raises:
            ValueError: If the fit resumes inside the stage of a schedule, and
                `steps_per_epoch` is unknown.
        """
        start = max((e for e in self.rates if e <= epoch), default=None)
        is_new = start != self._start
        if is_new:
            self._start = start
            self._enter(optimizer, epoch, steps_per_epoch)
        if self._schedule is not None:
            self._offset = self._next_batch
            self.begin_batch(optimizer, 0)
        return is_new

    def _enter(self, optimizer, epoch, steps_per_epoch):
        rate = self.rates[self._start]
        self._schedule = rate if isinstance(rate, _Schedule) else None
        if self._schedule is None:
            optimizer.learning_rate = optimizer.stage_rate = rate
            return
        # Another callback may set the optimizer back to its start, so its
        # iterations do not tell.
        self._next_batch = 0
        if epoch > self._start:
            self._next_batch = _batches(epoch - self._start, steps_per_epoch)

    @property
    def changes_by_batch(self):
        """Whether the epoch follows a schedule and needs `begin_batch()`."""
        return self._schedule is not None

    def begin_batch(self, optimizer, batch):
        """Sets the learning rate for a batch of the epoch, counted from 0."""
        rate = self._schedule(self._offset + batch)
        rate = float(keras.ops.convert_to_numpy(rate))
        optimizer.learning_rate = optimizer.stage_rate = rate
        self._next_batch = self._offset + batch + 1

    def restore(self, optimizer):
        """Gives the optimizer the learning rate it was compiled with."""
        if self.rates:
            optimizer.learning_rate = self._compiled
            optimizer.stage_rate = None


def check_single_steps(model):
    """Checks that the learning rate of a model can change with each batch.

    Raises:
        ValueError: If the model takes several steps at once.
    """
    if model.steps_per_execution != 1:
        raise ValueError(
            "The learning rate must change with each batch. Compile with "
            "`steps_per_execution=1`. Received: "
            f"steps_per_execution={model.steps_per_execution}"
        )


def stage_rate(optimizer):
    """Returns the rate of the present stage, or `None` if there is none."""
    return getattr(optimizer, "stage_rate", None)


def current_rate(optimizer):
    """Returns the learning rate of the next step as a float."""
    return float(keras.ops.convert_to_numpy(optimizer.learning_rate))


def _batches(num_epochs, steps_per_epoch):
    if steps_per_epoch is None:
        raise ValueError(
            "To resume inside of a stage whose learning rate follows a "
            "schedule, FineTune must know how many batches went before. Pass "
            "`steps_per_epoch` to `fit()`, or a dataset of known length. "
            f"Received: steps_per_epoch={steps_per_epoch}"
        )
    return num_epochs * steps_per_epoch
