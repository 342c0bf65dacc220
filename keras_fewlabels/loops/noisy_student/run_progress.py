"""One line that says how far a run of several phases is."""

import dataclasses
import shutil
import sys
import time

import keras

from keras_fewlabels.callbacks.print_progress import print_progress
from keras_fewlabels.loops.report.text import duration

# So many seconds pass between two looks of a line that changes in place.
_INTERVAL = 0.5
# What is shown of the logs as Keras shows it.
_SHOWN = ("loss", "accuracy", "val_accuracy")


@dataclasses.dataclass(frozen=True)
class PlannedPhase:
    """A phase that is still to come.

    Args:
        cost: Float, how much there is to compute, in any unit.
        may_end_early: Boolean.
    """

    cost: float
    may_end_early: bool = False


class RunProgress:
    """Tells the phase, what it has reached and the time left for all phases.

    In a terminal and in a notebook the line changes in place; elsewhere, and
    with `verbose=2`, there is a line for each epoch. The time left rests on
    how long the steps have taken since the first one, which compiles.

    Args:
        plan: Dict of the names of all phases to their `PlannedPhase`.
        verbose: `"auto"`, 0, 1 or 2, as for `fit()`.
        clock: Function that returns seconds.
    """

    def __init__(self, plan, verbose="auto", clock=time.monotonic):
        self.plan = dict(plan)
        self.verbose = verbose
        self.clock = clock
        # Seconds for a unit of cost, as far as they are known.
        self.pace = None

    @property
    def is_live(self):
        """Whether the line can change in place."""
        can = sys.stdout.isatty() or "ipykernel" in sys.modules
        return (
            self.verbose in ("auto", 1)
            and can
            and keras.config.is_interactive_logging_enabled()
        )

    def callback(self, name, epochs, num_steps):
        """What shows the progress of one phase.

        Args:
            name: String, the phase.
            epochs: Pair of ints, the first epoch and the one to end before.
            num_steps: Int, steps per epoch.

        Returns:
            A Keras callback.
        """
        return _PhaseProgress(self, name, epochs, num_steps)

    def finish(self, name):
        """Notes that nothing of a phase is left, however it ended."""
        self.plan.pop(name, None)

    def time_left(self, name, share_done):
        """Says how long all will take, in words, or nothing if unknown.

        Args:
            name: String, the phase that runs.
            share_done: Float in 0 to 1, how much of it is done.
        """
        if self.pace is None or name not in self.plan:
            return ""
        cost = sum(phase.cost for phase in self.plan.values())
        cost -= share_done * self.plan[name].cost
        may_end_early = any(phase.may_end_early for phase in self.plan.values())
        at_most = "at most " if may_end_early else ""
        return f"{at_most}{duration(self.pace * cost)} left"


class _PhaseProgress(keras.callbacks.Callback):
    def __init__(self, run, name, epochs, num_steps):
        super().__init__()
        self._run, self._name, self._num_steps = run, name, num_steps
        self._first_epoch, self._end = epochs
        self._started = self._shown = None
        self._width = 0

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        now = self._run.clock()
        done = self._share_done(batch + 1)
        if self._started is None:
            # The first step traces and compiles, and says nothing of others.
            self._started = self._shown = now, done
            return
        self._measure(now, done)
        if self._run.is_live and now - self._shown[0] >= _INTERVAL:
            self._shown = now, done
            self._show(done, logs)

    def on_epoch_end(self, epoch, logs=None):
        if not self._run.verbose:
            return
        done = self._share_done(self._num_steps)
        if self._started is not None:
            self._measure(self._run.clock(), done)
        self._show(done, logs)

    def on_train_end(self, logs=None):
        if self._run.is_live and self._width:
            print(flush=True)

    def _share_done(self, num_steps):
        num_epochs = self._end - self._first_epoch
        epochs = self._epoch - self._first_epoch + num_steps / self._num_steps
        return epochs / num_epochs

    def _measure(self, now, done):
        started, share = self._started
        planned = self._run.plan.get(self._name)
        if planned and done > share:
            cost = (done - share) * planned.cost
            self._run.pace = (now - started) / cost

    def _show(self, done, logs):
        line = self._line(done, logs or {})
        if not self._run.is_live:
            print_progress(line)
            return
        # Cut, for a line that wraps cannot be taken back.
        line = line[: shutil.get_terminal_size().columns - 1]
        print(f"\r{line:<{self._width}}", end="", flush=True)
        self._width = len(line)

    def _line(self, done, logs):
        number = self._epoch - self._first_epoch + 1
        parts = [
            f"{name} {float(logs[name]):.4f}" for name in _SHOWN if name in logs
        ]
        if "mask_ratio" in logs:
            share = 100 * float(logs["mask_ratio"])
            parts.append(f"{share:.0f} % of the pseudo-labels used")
        parts.append(self._run.time_left(self._name, done))
        head = (
            f"{self._name}, epoch {number} of {self._end - self._first_epoch}"
        )
        return f"{head}: {', '.join(filter(None, parts))}"
