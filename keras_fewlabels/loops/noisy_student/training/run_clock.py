"""The time that a run may take."""

import math
import time

import keras

# Of the time limit, what the features of the first rung may take.
_FEATURES = 0.6
# Of the time limit, what is kept for the measurements at the end.
_RESERVE = 0.04
# How often as long as to build a model it takes to trace its prediction, and a
# step of its training. On two cores EfficientNet-Lite0 was built in 0.85 s, and
# the first step took 7.4 s. Torch traces nothing.
_TRACING, _TRACING_OF_STEP = (
    (0, 0) if keras.backend.backend() == "torch" else (2, 8)
)


class RunClock:
    """Tells how much of its time a run has left.

    Args:
        limit: Positive number, the seconds that the run may take, or `None`
            for any time.
        started: Float, the `time.perf_counter()` of the start.
        building: Float, the seconds that it takes to build a model of the run.
    """

    def __init__(self, limit=None, started=None, building=0.0):
        self.limit = limit
        self._building = building
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
    def tracing(self):
        """Float, about the seconds before a prediction of a changed model."""
        return _TRACING * self._building

    @property
    def tracing_of_step(self):
        """Float, about the seconds before the first step of a phase."""
        return _TRACING_OF_STEP * self._building

    @property
    def seconds_left_for_features(self):
        """Float, the seconds that are left for the features of the probe."""
        if self.limit is None:
            return math.inf
        return _FEATURES * self.limit - self.seconds

    def callbacks(self, seconds, end, backup):
        """Returns the callbacks that end a fit in time.

        Args:
            seconds: Float, the seconds that the steps may take after the
                first one, which compiles.
            end: Float, the seconds since the start of the run at which the fit
                ends in any case.
            backup: `PhaseBackup`, which remembers if the time was up.
        """
        if self.limit is None:
            return []
        return [_StopInTime(self, seconds, end, backup)]


class _StopInTime(keras.callbacks.Callback):
    """Ends a fit whose steps take longer than they were planned to."""

    def __init__(self, clock, seconds, end, backup):
        super().__init__()
        self._clock, self._backup = clock, backup
        self._seconds, self._end = seconds, end
        self._has_begun = False

    def on_train_batch_end(self, batch, logs=None):
        now = self._clock.seconds
        if not self._has_begun:
            self._has_begun = True
            self._end = min(self._end, now + self._seconds)
        if now >= self._end:
            self.model.stop_training = True
            self._backup.out_of_time = True
