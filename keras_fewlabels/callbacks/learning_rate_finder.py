import math
import numbers

import keras
import numpy as np

from keras_fewlabels.callbacks.stage_learning_rate import (
    StageLearningRate,
    current_rate,
)
from keras_fewlabels.callbacks.starting_point import StartingPoint


class LearningRateFinder(keras.callbacks.Callback):
    """Finds the learning rate with which a model's loss falls fastest.

    The range test: the learning rate grows by the same factor from one batch
    to the next, until the loss explodes. Where the loss falls most steeply
    the rate is large enough to learn and small enough not to diverge.
    Afterwards weights, optimizer and learning rate are what they were, so
    that the same model can then be trained. `loops.find_learning_rate` does
    all of it in one call; `plots.learning_rates` draws the curve.

    Reference:
        - [Smith, 2017](https://arxiv.org/abs/1506.01186), section 3.3, where
          the rate grows linearly; here exponentially, as in fastai.

    Args:
        min_rate: Positive float, the first learning rate.
        max_rate: Float above `min_rate`, the last one.
        num_steps: Int, 10 or more, the number of batches of the test. The fit
            ends after them; it must not be shorter.
        smoothing: Float in `[0, 1)`, how much of the average of the losses
            is kept from batch to batch.
        divergence: Float above 1. The test ends when the smoothed loss is so
            many times the smallest one.

    Attributes:
        rates: Float array of shape `(num_tested,)`, the learning rates.
        losses: Float array of shape `(num_tested,)`, the losses, smoothed.
        suggestion: Float, the rate at which the loss falls most steeply;
            `None` before the test, and where the loss never falls.

    Raises:
        ValueError: If an argument is no such thing, or, before the first
            step, if the fit has fewer batches than the test, or the optimizer
            was compiled with a schedule.

    Example:

    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x = np.random.default_rng(0).normal(size=(640, 4))
    >>> finder = keras_fewlabels.callbacks.LearningRateFinder(num_steps=60)
    >>> history = model.fit(x, x[:, :1], 8, callbacks=[finder], verbose=0)
    >>> 1e-3 < finder.suggestion < 1
    True
    """

    def __init__(
        self,
        min_rate=1e-6,
        max_rate=1.0,
        num_steps=100,
        smoothing=0.9,
        divergence=4.0,
    ):
        super().__init__()
        if not (
            _are_numbers(min_rate, max_rate)
            and 0 < min_rate < max_rate < math.inf
        ):
            raise ValueError(
                "`min_rate` must be above 0 and below `max_rate`. "
                f"Received: min_rate={min_rate!r}, max_rate={max_rate!r}"
            )
        if not isinstance(num_steps, int) or num_steps < 10:
            raise ValueError(
                "`num_steps` must be an int, 10 or more: a steepest fall "
                f"cannot be seen in less. Received: num_steps={num_steps}"
            )
        if not (_are_numbers(smoothing) and 0 <= smoothing < 1):
            raise ValueError(
                "`smoothing` must be at least 0 and below 1. "
                f"Received: smoothing={smoothing}"
            )
        if not (_are_numbers(divergence) and divergence > 1):
            raise ValueError(
                "`divergence` must be above 1. "
                f"Received: divergence={divergence}"
            )
        self.min_rate = min_rate
        self.max_rate = max_rate
        self.num_steps = num_steps
        self.smoothing = smoothing
        self.divergence = divergence
        self._forget()

    def on_train_begin(self, logs=None):
        self._forget()
        self._check_fit()
        # Refuses a schedule.
        StageLearningRate({0: self.min_rate}).remember(self.model.optimizer)
        self._origin = StartingPoint(self.model)

    def on_train_batch_begin(self, batch, logs=None):
        progress = len(self.rates) / (self.num_steps - 1)
        growth = (self.max_rate / self.min_rate) ** progress
        self.model.optimizer.learning_rate = self.min_rate * growth

    def on_train_batch_end(self, batch, logs=None):
        self.rates.append(current_rate(self.model.optimizer))
        self.losses.append(self._loss_of_batch(batch, logs["loss"]))
        average = moving_average(self.losses, self.smoothing)
        explodes = not average[-1] <= self.divergence * average.min()
        if explodes or len(self.rates) == self.num_steps:
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        self._origin.restore()
        self.rates = np.array(self.rates)
        # Both ways: an average of the past alone lags, and the steepest fall
        # would be found at a rate several times too high.
        forward = moving_average(self.losses, self.smoothing)
        backward = moving_average(self.losses[::-1], self.smoothing)[::-1]
        self.losses = (forward + backward) / 2
        # So many losses make an average; the first ones jump.
        start = min(round(1 / (1 - self.smoothing)), len(self.rates) // 2)
        self.suggestion = steepest_fall(self.rates[start:], self.losses[start:])

    def _forget(self):
        self.rates, self.losses = [], []
        self.suggestion = None
        self._sum = 0.0

    def _loss_of_batch(self, batch, mean):
        # The logs have the mean of all batches of the epoch so far.
        before = 0.0 if batch == 0 else self._sum
        self._sum = float(mean) * (batch + 1)
        return self._sum - before

    def _check_fit(self):
        if self.model.steps_per_execution != 1:
            raise ValueError(
                "The learning rate must change with each batch. Compile with "
                "`steps_per_execution=1`. Received: "
                f"steps_per_execution={self.model.steps_per_execution}"
            )
        steps, epochs = self.params["steps"], self.params["epochs"]
        if steps is not None and steps * epochs < self.num_steps:
            raise ValueError(
                f"The test needs {self.num_steps} batches. Fit for more "
                "epochs, or take a smaller `num_steps`. Received: "
                f"{epochs} epoch(s) of {steps} batches"
            )


def moving_average(values, momentum):
    """The exponential average of each value and those before it.

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
    """The learning rate at which the loss falls fastest on a log scale.

    Only rates below that of the smallest loss count: a training that has
    diverged may fall again, and steeply.

    Args:
        rates: Float array of shape `(num_rates,)`, growing.
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


def _are_numbers(*values):
    return all(isinstance(value, numbers.Real) for value in values)
