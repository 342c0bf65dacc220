"""One line that says how far a run of several phases is."""

import dataclasses
import shutil
import sys
import time

import keras

from keras_fewlabels.callbacks.print_progress import print_progress
from keras_fewlabels.foundation import check_verbose
from keras_fewlabels.loops.noisy_student.phases import PHASE_KINDS
from keras_fewlabels.loops.noisy_student.training.run_clock import RunClock
from keras_fewlabels.loops.report.words.text import cross_validated, duration

# Seconds between two changes of a line in place.
_INTERVAL = 0.5
# The logs that are shown as Keras shows them.
_SHOWN = ("loss", "accuracy", "val_accuracy")


class RunProgress:
    """Shows the phase, its results so far and the time left for all phases.

    In a terminal and in a notebook the line changes in place; elsewhere, and
    with `verbose=2`, there is a line for each epoch. The time left rests on
    how long the steps have taken since the first one, which compiles, and on
    the time limit.

    Args:
        phases: List of `Phase`.
        settings: `Settings`.
        verbose: `"auto"`, 0, 1 or 2, as for `fit()`.
        clock: Optional `RunClock`. By default there is any time.
    """

    def __init__(self, phases, settings, verbose="auto", clock=None):
        # The phases that have not ended, by their titles, and their costs.
        self.phases = {phase.title: phase for phase in phases}
        self._settings = settings
        self.costs = {
            title: self.cost(phase) for title, phase in self.phases.items()
        }
        self.verbose = check_verbose(verbose)
        self._clock = clock or RunClock()
        # Seconds for a unit of cost, as far as they are known.
        self.pace = None

    @property
    def is_live(self):
        """Whether the line can change in place."""
        can = sys.stdout.isatty() or "ipykernel" in sys.modules
        return (
            self.verbose == 1
            and can
            and keras.config.is_interactive_logging_enabled()
        )

    def callback(self, title, epochs, num_steps):
        """Returns what shows the progress of one phase.

        Args:
            title: String, the title of the phase.
            epochs: Pair of ints, the first epoch and the one to end before.
            num_steps: Int, steps per epoch.

        Returns:
            A Keras callback.
        """
        return _PhaseProgress(self, title, epochs, num_steps)

    def images(self, title, total):
        """Returns a function that shows how many images are done.

        Args:
            title: String.
            total: Int, the number of images.

        Returns:
            Function of an int.
        """
        bar = keras.utils.Progbar(
            total, verbose=int(self.is_live), unit_name="image"
        )
        if self.is_live:
            print(title)
        elif self.verbose:
            print_progress(f"{title} of {total:,} images")
        return bar.update

    def finish(self, title, results=None):
        """Notes that a phase has ended, and shows what a rung has brought.

        Args:
            title: String, the title of the phase.
            results: Optional dict, what the report says of the phase.
        """
        self.phases.pop(title, None)
        if self.verbose and (results or {}).get("cross_validation"):
            print_progress(
                f"{title}: {cross_validated(results)}, "
                f"{duration(results['seconds'])}{self._shares(results)}"
            )
            self._show_what_comes()

    def _shares(self, results):
        """Returns how even the classes of the pool seem to be, in words."""
        shares = (results.get("pseudo_labels") or {}).get("class_shares")
        if not shares:
            return ""
        low, high = (round(100 * share) for share in (min(shares), max(shares)))
        return f"; each class seems to be {low} to {high} % of the pool"

    def _show_what_comes(self):
        """Shows how long the phases to come would take with all their steps."""
        to_come = list(self.phases.values())
        if self.pace is None or not to_come or not to_come[0].steps:
            return
        times = ", ".join(
            f"{phase.title} {duration(self.pace * self.costs[phase.title])}"
            for phase in to_come
        )
        left = ""
        if self._clock.limit is not None:
            left = f"; there are {duration(max(0, self._clock.seconds_left))}"
        print_progress(f"to come: {times}{left}")

    def cost(self, phase):
        """Returns the cost of a phase, with the steps that it has now."""
        return PHASE_KINDS[phase.kind].cost(phase, self._settings)

    def share(self, title):
        """Returns the share that a phase has in the cost of all to come."""
        total = sum(map(self.costs.get, self.phases))
        return self.costs[title] / total if total else 1.0

    def shortest(self, kind):
        """Returns the phases to come that predict the pool anew.

        Args:
            kind: String, a key of `PHASE_KINDS`.

        Returns:
            List of `Phase` with the fewest steps that are of use.
        """
        fewest_steps = PHASE_KINDS[kind].fewest_steps
        return [
            dataclasses.replace(phase, steps=fewest_steps(phase))
            for phase in self.phases.values()
            if phase.kind == kind and phase.num_predicted
        ]

    def predict_at_most(self, count):
        """Notes how many images the phases to come predict at most.

        Args:
            count: Int, of a pool for which there is no time fewer than planned.
        """
        for title, phase in self.phases.items():
            num_predicted = min(phase.num_predicted, count)
            phase = dataclasses.replace(phase, num_predicted=num_predicted)
            self.phases[title], self.costs[title] = phase, self.cost(phase)

    def time_left(self, title, share_done):
        """Returns how long all phases will take, in words.

        Args:
            title: String, the title of the phase that runs.
            share_done: Float in 0 to 1, how much of it is done.

        Returns:
            String, empty if it is unknown.
        """
        if self.pace is None or title not in self.phases:
            return ""
        cost = sum(map(self.costs.get, self.phases))
        cost -= share_done * self.costs[title]
        may_end_early = any(
            phase.patience is not None for phase in self.phases.values()
        )
        at_most = "at most " if may_end_early else ""
        seconds = min(self.pace * cost, max(0, self._clock.seconds_left))
        return f"{at_most}{duration(seconds)} left"


class _PhaseProgress(keras.callbacks.Callback):
    def __init__(self, run, title, epochs, num_steps):
        super().__init__()
        self._run, self._title, self._num_steps = run, title, num_steps
        self._first_epoch, self._end = epochs
        self._started = self._shown = None
        self._width = 0

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        now = time.monotonic()
        done = self._share_done(batch + 1)
        if self._started is None:
            # The first step traces and compiles, which others need not.
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
            self._measure(time.monotonic(), done)
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
        phase = self._run.phases[self._title]
        cost = self._run.costs[self._title] - phase.num_predicted
        cost *= done - share
        if cost > 0:
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
        parts.append(self._run.time_left(self._title, done))
        head = (
            f"{self._title}, epoch {number} of {self._end - self._first_epoch}"
        )
        return f"{head}: {', '.join(filter(None, parts))}"
