"""The time that a run may take."""

import math
import time

import keras

# Of the time limit, what the features of the first rung may take.
_FEATURES = 0.6
# Of the time limit, what is kept for the measurements at the end.
_RESERVE = 0.04


class RunClock:
    """Tells how much of its time a run has left.

    Args:
        limit: Positive number, the seconds that the run may take, or `None`
            for any time.
        started: Float, the `time.perf_counter()` of the start.
    """

    def __init__(self, limit=None, started=None):
        self.limit = limit
        self._started = time.perf_counter() if started is None else started

    @property
    def seconds(self):
        """Float, the seconds since the start."""
        return time.perf_counter() - self._started

    @property
    def seconds_left(self):
        """Float, the seconds that are left for training; infinity if any."""
        if self.limit is None:
            return math.inf
        return (1 - _RESERVE) * self.limit - self.seconds

    @property
    def seconds_left_for_features(self):
        """Float, the seconds that are left for the features of the probe."""
        if self.limit is None:
            return math.inf
        return _FEATURES * self.limit - self.seconds

    def callbacks(self, seconds, at_most, backup):
        """Returns the callbacks that end a fit in time.

        Args:
            seconds: Float, the seconds that the steps may take after the
                first one, which compiles.
            at_most: Float, the seconds that the fit may take from now on.
            backup: `PhaseBackup`, which remembers if the time was up.
        """
        if self.limit is None:
            return []
        return [_StopInTime(self, seconds, at_most, backup)]


class _StopInTime(keras.callbacks.Callback):
    """Ends a fit whose steps take longer than they were planned to."""

    def __init__(self, clock, seconds, at_most, backup):
        super().__init__()
        self._clock, self._backup = clock, backup
        self._seconds = seconds
        self._end = clock.seconds + at_most
        self._has_begun = False

    def on_train_batch_end(self, batch, logs=None):
        now = self._clock.seconds
        if not self._has_begun:
            self._has_begun = True
            self._end = min(self._end, now + self._seconds)
        if now >= self._end:
            self.model.stop_training = True
            self._backup.out_of_time = True
