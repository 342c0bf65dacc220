"""The moving statistics of batch normalization, and whether they lag behind."""

import contextlib

import keras
import numpy as np
from keras import ops

from keras_fewlabels.foundation.keras_internals import flatten_layers

# Gain in cross-entropy (nats) from which statistics count as lagging behind.
_MIN_GAIN = 0.1
# Images that are predicted at a time.
_BATCH = 256


def batch_norms(model):
    """Returns the `BatchNormalization` layers of a model, at any depth."""
    return [
        layer
        for layer in flatten_layers(model)
        if isinstance(layer, keras.layers.BatchNormalization)
    ]


def most_momentum(num_steps):
    """Returns the momentum with which statistics follow a fit.

    Moving averages then look back over the last fiftieth of the steps, but
    over at least ten steps. From 5,000 steps on that is Keras's default, 0.99.

    Args:
        num_steps: Number or float tensor, the steps of the fit.
    """
    return ops.maximum(0.9, 1 - 50 / (1 + num_steps))


class MovingStatistics:
    """The moving means and variances of a model, which can be replaced.

    Args:
        model: Built Keras model.

    Example:

    >>> from keras_fewlabels.foundation.batch_norm import MovingStatistics
    >>> norm = keras.layers.BatchNormalization()
    >>> model = keras.Sequential([keras.Input((1,)), norm])
    >>> statistics = MovingStatistics(model)
    >>> statistics.set(statistics.measured(np.array([[1.0], [3.0]])))
    >>> norm.moving_mean.numpy().tolist(), norm.moving_variance.numpy().tolist()
    ([2.0], [1.0])
    """

    def __init__(self, model):
        self._model = model
        self._layers = batch_norms(model)
        self._variables = [
            variable
            for layer in self._layers
            for variable in (layer.moving_mean, layer.moving_variance)
        ]

    def __len__(self):
        """Returns the number of variables, 0 without batch normalization."""
        return len(self._variables)

    def get(self):
        """Returns a list of arrays, the present values."""
        # Copied: on torch, an array would go on changing with its variable.
        return [np.array(ops.convert_to_numpy(v)) for v in self._variables]

    def set(self, values):
        """Replaces the values by those of a list of arrays."""
        for variable, value in zip(self._variables, values, strict=True):
            variable.assign(value)

    def measured(self, images, batch_size=_BATCH):
        """Returns the statistics of given images with the present weights.

        All layers predict meanwhile, so nothing is dropped or augmented. The
        model is as before afterwards.

        Args:
            images: Array of images.
            batch_size: Int, images per batch. Statistics are averaged over
                the batches. A last batch that is not full is left out, unless
                it is the only one.

        Returns:
            List of arrays, as `set` takes it.
        """
        before = self.get()
        num_batches = max(1, len(images) // batch_size)
        totals = [0.0] * len(before)
        try:
            with self._following_each_batch():
                for index in range(num_batches if before else 0):
                    start = index * batch_size
                    batch = images[start : start + batch_size]
                    self._model(ops.convert_to_tensor(batch), training=False)
                    totals = [
                        total + value.astype("float64")
                        for total, value in zip(totals, self.get(), strict=True)
                    ]
        finally:
            self.set(before)
        return [total / num_batches for total in totals]

    @contextlib.contextmanager
    def _following_each_batch(self):
        """Makes the statistics of all layers those of the last batch."""
        try:
            for layer in self._layers:
                layer.call = _measuring(layer, layer.call)
            yield
        finally:
            for layer in self._layers:
                vars(layer).pop("call", None)


def lagging_statistics(model, images, cross_entropy):
    """Finds out whether the moving statistics of a classifier lag behind.

    `BatchNormalization` starts with a mean of 0 and a variance of 1, and moves
    1 % per step by default. After a hundred steps its statistics lag far
    behind the weights, and the model predicts nonsense. It is then wrong or
    unsure even of the images that it has learned, unless these are normalized
    by their own statistics.

    Args:
        model: Built Keras classifier.
        images: Array of labelled images.
        cross_entropy: Function of the outputs of the model for these images,
            a float32 array, that returns their mean cross-entropy, a float.

    Returns:
        `None` if the statistics do not lag behind. Otherwise `(before, after,
        fresh)`: the cross-entropy in inference mode, the cross-entropy with
        the statistics of these images, and these statistics, as
        `MovingStatistics.set` takes them.
    """
    statistics = MovingStatistics(model)
    if not statistics:
        return None

    def measure():
        outputs = [
            ops.convert_to_numpy(
                model(ops.convert_to_tensor(batch), training=False)
            )
            for batch in np.split(images, range(_BATCH, len(images), _BATCH))
        ]
        return cross_entropy(np.concatenate(outputs).astype("float32"))

    before = measure()
    if before < _MIN_GAIN:
        return None
    present, fresh = statistics.get(), statistics.measured(images)
    try:
        statistics.set(fresh)
        after = measure()
    finally:
        statistics.set(present)
    return (before, after, fresh) if after < before - _MIN_GAIN else None


def _measuring(layer, call):
    """Returns a `call` that first takes over the statistics of its inputs."""

    def measuring_call(inputs, training=None, mask=None):
        axes = [
            axis
            for axis in range(len(inputs.shape))
            if axis != layer.axis % len(inputs.shape)
        ]
        mean, variance = ops.moments(ops.cast(inputs, "float32"), axes)
        layer.moving_mean.assign(mean)
        layer.moving_variance.assign(variance)
        return call(inputs, training=False, mask=mask)

    return measuring_call
