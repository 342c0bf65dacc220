import contextlib

import keras
from keras import ops

from keras_fewlabels.foundation import batch_norms, most_momentum


class WarmUpStatistics(keras.layers.Layer):
    """Lets the statistics of batch normalization follow a short fit.

    `BatchNormalization` starts with a mean of 0 and a variance of 1. At
    Keras's default momentum of 0.99 its statistics are still a third of that
    after a hundred steps, and lag a hundred steps behind the weights. A
    teacher in inference mode then predicts nonsense, and the student learns
    it. Fits with few labels are that short.

    Here the statistics average over the last fiftieth of the steps, but over
    at least ten steps, until the momentum of the layer averages over less:
    the momentum of step `n` is
    `min(momentum, (1 + n) / (10 + n), max(0.9, 1 - 50 / (1 + n)))`. From 5,000
    steps on that is Keras's default. A smaller momentum stays as it is. The
    count of steps is saved with the model.

    Args:
        model: Built Keras model that is trained. Layers that are frozen keep
            their statistics, as ever.

    Example:

    >>> from keras_fewlabels.models.student.warm_up_statistics import (
    ...     WarmUpStatistics,
    ... )
    >>> norm = keras.layers.BatchNormalization()
    >>> model = keras.Sequential([keras.Input((1,)), norm])
    >>> with WarmUpStatistics(model).momentums():
    ...     _ = model(np.array([[2.0], [4.0]]), training=True)
    >>> round(float(norm.moving_mean[0]), 3)  # 0.9 * 3
    2.7
    """

    def __init__(self, model, **kwargs):
        super().__init__(trainable=False, dtype="float32", **kwargs)
        self._normalizations = batch_norms(model)
        self.steps = None
        if self._normalizations:
            self.steps = self.add_weight(
                shape=(),
                initializer="zeros",
                dtype="int32",
                trainable=False,
                aggregation="only_first_replica",
                name="steps",
            )
        self.built = True

    @contextlib.contextmanager
    def momentums(self):
        """Gives the layers the momentum of this step, and counts the step."""
        layers = self._normalizations
        if not layers:
            yield
            return
        momentums = [layer.momentum for layer in layers]
        step = ops.cast(self.steps, "float32")
        limit = ops.minimum((1 + step) / (10 + step), most_momentum(step))
        try:
            for layer, momentum in zip(layers, momentums, strict=True):
                layer.momentum = ops.minimum(momentum, limit)
            yield
        finally:
            for layer, momentum in zip(layers, momentums, strict=True):
                layer.momentum = momentum
        self.steps.assign_add(1)

    def load_own_variables(self, store):
        # Files of version 0.1 have no count: their statistics have settled.
        if self.steps is not None:
            count = store["0"] if "0" in store.keys() else 10**6  # noqa: SIM118
            self.steps.assign(count)
