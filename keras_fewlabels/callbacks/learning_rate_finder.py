import math

import keras
import numpy as np

from keras_fewlabels.callbacks.stage_learning_rate import (
    StageLearningRate,
    check_single_steps,
    current_rate,
)
from keras_fewlabels.callbacks.starting_point import StartingPoint
from keras_fewlabels.foundation import (
    Result,
    check_fraction,
    check_int,
    check_number,
    check_positive,
    when_fit_ends,
)
from keras_fewlabels.plots.results.learning_rates import learning_rates


class LearningRateFinder(Result, keras.callbacks.Callback):
    """Finds the learning rate at which the loss falls most steeply.

    The range test: the learning rate grows by the same factor from batch to
    batch, until the loss explodes. Where the loss falls most steeply, the
    rate is large enough to learn and small enough not to diverge. Afterwards,
    also after an error or Ctrl-C, the weights, the optimizer and the random
    numbers are what they were. A fit that follows ends with the same weights
    as without the test. The exception is a `tf.data.Dataset` that shuffles by
    itself, also with a seed: it goes on with its next pass.
    `loops.find_learning_rate` does all of this in one call.

    Once the fit has ended, `print(finder)` shows the suggestion,
    `finder.figure()` draws the losses over the rates, and
    `finder.save(folder)` writes both, as `learning_rates.json` and
    `learning_rates.png`.

    Reference:
        - [Smith, 2017](https://arxiv.org/abs/1506.01186), section 3.3, where
          the rate grows linearly; here exponentially, as in fastai.

    Args:
        min_rate: Positive float, the first learning rate.
        max_rate: Float above `min_rate`, the last learning rate.
        num_steps: Int, 10 or more, the number of batches of the test. The fit
            ends after them; it must not be shorter.
        smoothing: Float in `[0, 1)`, the weight of the earlier losses in the
            moving average of the losses.
        divergence: Float above 1. The test ends when the smoothed loss is
            `divergence` times its minimum.

    Attributes:
        rates: Float array of shape `(num_tested,)`, the learning rates.
        losses: Float array of shape `(num_tested,)`, the losses, smoothed.
        suggestion: Float, the rate at which the loss falls most steeply;
            `None` before the test, and where the loss never falls.

    Raises:
        ValueError: If an argument is out of its range; or, at the begin of
            the fit, if the fit has fewer batches than the test or takes
            several steps at once, or if the optimizer was compiled with a
            schedule.

    Example:

    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x = np.random.default_rng(0).normal(size=(640, 4))
    >>> finder = keras_fewlabels.callbacks.LearningRateFinder(num_steps=60)
    >>> history = model.fit(x, x[:, :1], 8, callbacks=[finder], verbose=0)
    >>> 1e-3 < finder.suggestion < 1
    True
    """

    file_name = "learning_rates"

    def __init__(
        self,
        min_rate=1e-6,
        max_rate=1.0,
        num_steps=100,
        *,
        smoothing=0.9,
        divergence=4.0,
    ):
        super().__init__()
        check_positive(min_rate, "min_rate")
        check_positive(max_rate, "max_rate")
        if min_rate >= max_rate:
            raise ValueError(
                "`min_rate` must be below `max_rate`. "
                f"Received: min_rate={min_rate!r}, max_rate={max_rate!r}"
            )
        check_int(num_steps, "num_steps", 10)
        check_fraction(smoothing, "smoothing")
        check_number(divergence, "divergence", "(1, inf)")
        self.min_rate = min_rate
        self.max_rate = max_rate
        self.num_steps = num_steps
        self.smoothing = smoothing
        self.divergence = divergence
        self._origin = None
        self._forget_test()

    def on_train_begin(self, logs=None):
        self._forget_test()
        self._check_fit()
        # Raises an error for a schedule.
        StageLearningRate({0: self.min_rate}).remember(self.model.optimizer)
        self._origin = StartingPoint(self.model, everything=True)
        when_fit_ends(self._restore_model)

    def on_train_batch_begin(self, batch, logs=None):
        # So that the logs have the loss of this batch alone.
        self.model.reset_metrics()
        progress = len(self.rates) / (self.num_steps - 1)
        growth = (self.max_rate / self.min_rate) ** progress
        self.model.optimizer.learning_rate = self.min_rate * growth

    def on_train_batch_end(self, batch, logs=None):
        self.rates.append(current_rate(self.model.optimizer))
        self.losses.append(float(logs["loss"]))
        average = moving_average(self.losses, self.smoothing)
        explodes = not average[-1] <= self.divergence * average.min()
        if explodes or len(self.rates) == self.num_steps:
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        self._restore_model()
        self.rates = np.array(self.rates)
        # In both directions: an average of the past alone lags, and the
        # steepest fall would be found at a rate several times too high.
        forward = moving_average(self.losses, self.smoothing)
        backward = moving_average(self.losses[::-1], self.smoothing)[::-1]
        self.losses = (forward + backward) / 2
        # The first averages jump, as they are of too few losses.
        start = min(round(1 / (1 - self.smoothing)), len(self.rates) // 2)
        self.suggestion = steepest_fall(self.rates[start:], self.losses[start:])

    def _restore_model(self):
        if self._origin is not None:
            self._origin.restore()
            self._origin = None

    def __str__(self):
        if not len(self.rates):
            return "No learning rate has been tested."
        tested = (
            f"{len(self.rates)} learning rates tested, from "
            f"{self.rates[0]:.2g} to {self.rates[-1]:.2g}"
        )
        if self.suggestion is None:
            return f"{tested}: the loss never falls"
        return f"{tested}: the loss falls most steeply at {self.suggestion:.2g}"

    def to_dict(self):
        """Returns the suggestion, the rates and the smoothed losses.

        Returns:
            Dict of `"suggestion"`, a float or `None`, and `"rates"` and
            `"losses"`, lists of floats. A loss that is not finite is `None`.
        """
        return {
            "suggestion": self.suggestion,
            "rates": [float(rate) for rate in self.rates],
            "losses": [
                float(loss) if math.isfinite(loss) else None
                for loss in self.losses
            ],
        }

    def figure(self):
        """Draws the smoothed losses over the learning rates.

        Returns:
            A `matplotlib.figure.Figure`, or `None` if fewer than two losses
            are finite.

        Raises:
            ImportError: If matplotlib is not installed.
        """
        if np.isfinite(self.losses).sum() < 2:
            return None
        return learning_rates(self.rates, self.losses, self.suggestion)

    def _forget_test(self):
        self.rates, self.losses = [], []
        self.suggestion = None

    def _check_fit(self):
        check_single_steps(self.model)
        steps, epochs = self.params["steps"], self.params["epochs"]
        if steps is not None and steps * epochs < self.num_steps:
            raise ValueError(
                f"The test needs {self.num_steps} batches. Fit for more "
                "epochs, or take a smaller `num_steps`. Received: "
                f"{epochs} epoch(s) of {steps} batches"
            )


def moving_average(values, momentum):
    """Returns the exponential average of each value and those before it.

    Args:
        values: Sequence of floats.
        momentum: Float in `[0, 1)`.

    Returns:
        Float array of the same length, without a bias towards 0.
    """
    averages, average = [], 0.0
    for count, value in enumerate(values, start=1):
        average = momentum * average + (1 - momentum) * value
        averages.append(average / (1 - momentum**count))
    return np.array(averages)


def steepest_fall(rates, losses):
    """Returns the learning rate at which the loss falls fastest.

    The slope is taken over the logarithm of the rate. Only rates up to that
    of the smallest loss count: a training that has diverged may fall again,
    and steeply.

    Args:
        rates: Float array of shape `(num_rates,)`, ascending.
        losses: Float array of the same shape, smoothed.

    Returns:
        Float, or `None` if the loss never falls.
    """
    finite = np.isfinite(losses)
    rates, losses = rates[finite], losses[finite]
    if len(rates) < 2 or losses.argmin() == 0:
        return None
    slopes = np.gradient(losses, np.log(rates))[: losses.argmin() + 1]
    return float(rates[slopes.argmin()])
