"""The learning rate of a phase."""

import math

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_fewlabels")
class WarmUpSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises, then falls to zero or stays.

    It rises in a straight line from a hundredth of `rate`, and falls along a
    cosine, as `CosineDecay(warmup_target=...)` does. That one has a branch,
    though, and `AdamW` calls a schedule once for each weight: with it the first
    step of EfficientNet-Lite0 takes 13.4 s on two cores, without it 10.5.

    Args:
        rate: Float, the highest learning rate.
        num_steps: Int, the steps in which it falls to zero, those in which it
            rises included.
        warm_up: Int, the steps in which it rises, at least 1.
        falls: Boolean.
    """

    def __init__(self, rate, num_steps, warm_up, falls=True):
        super().__init__()
        self.rate, self.num_steps = rate, num_steps
        self.warm_up, self.falls = warm_up, falls

    def __call__(self, step):
        step = ops.cast(step, "float32")
        rising = 0.01 + 0.99 * step / self.warm_up
        later = ops.ones_like(step)
        if self.falls:
            num_falling = max(1, self.num_steps - self.warm_up)
            share = ops.clip((step - self.warm_up) / num_falling, 0.0, 1.0)
            later = 0.5 * (1.0 + ops.cos(math.pi * share))
        return self.rate * ops.where(step < self.warm_up, rising, later)

    def get_config(self):
        return {
            "rate": self.rate,
            "num_steps": self.num_steps,
            "warm_up": self.warm_up,
            "falls": self.falls,
        }
