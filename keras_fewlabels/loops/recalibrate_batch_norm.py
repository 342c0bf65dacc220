import contextlib

import keras
from keras import ops

from keras_fewlabels.callbacks.fine_tune.trainable_flags import TrainableFlags
from keras_fewlabels.foundation.arguments import check_int


def recalibrate_batch_norm(model, images, batch_size=256):
    """Sets the statistics of batch normalization to those of given images.

    The moving averages of `BatchNormalization` lag behind the weights, start
    far from the truth in a new model, and are those of noisy images after
    training under noise. Here they become the statistics of the images as
    the weights are now, while all other layers predict: nothing is dropped or
    augmented. Nothing else changes.

    Args:
        model: Built Keras model.
        images: Array of images as the model takes them.
        batch_size: Int, images per batch. Statistics are averaged over
            batches; a remainder of less than a batch is left out, if there
            is a full one.

    Raises:
        ValueError: If there is no image or no model.

    Example:

    >>> model = keras.Sequential(
    ...     [keras.Input((1,)), keras.layers.BatchNormalization()]
    ... )
    >>> images = np.array([[1.0], [3.0]])
    >>> keras_fewlabels.loops.recalibrate_batch_norm(model, images)
    >>> [array.tolist() for array in model.get_weights()[2:]]
    [[2.0], [1.0]]
    """
    if not isinstance(model, keras.Model):
        raise ValueError(
            f"`model` must be a Keras model. Received: model={model!r}"
        )
    if not len(images):
        raise ValueError(
            "The statistics are those of at least one image. "
            f"Received: {len(images)} images"
        )
    check_int(batch_size, "batch_size")
    layers = [
        layer
        for layer in model._flatten_layers(include_self=False)
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    statistics = [
        part
        for layer in layers
        for part in (layer.moving_mean, layer.moving_variance)
    ]
    num_batches = max(1, len(images) // batch_size)
    totals = [0.0] * len(statistics)
    with _each_batch_by_itself(model, layers):
        for index in range(num_batches if layers else 0):
            batch = images[index * batch_size : (index + 1) * batch_size]
            model(ops.convert_to_tensor(batch), training=False)
            totals = [
                total + ops.convert_to_numpy(part).astype("float64")
                for total, part in zip(totals, statistics, strict=True)
            ]
    for part, total in zip(statistics, totals, strict=True):
        part.assign(total / num_batches)


@contextlib.contextmanager
def _each_batch_by_itself(model, layers):
    """After each batch, the statistics of the layers are those of the batch.

    Those of frozen layers too.
    """
    momentums = [layer.momentum for layer in layers]
    flags = TrainableFlags(model)
    try:
        for layer in layers:
            layer.momentum, layer.trainable = 0.0, True
            layer.call = _in_training(layer.call)
        yield
    finally:
        for layer, momentum in zip(layers, momentums, strict=True):
            layer.momentum = momentum
            del layer.call
        flags.restore()


def _in_training(call):
    """The `call` of a layer that trains in a model that predicts."""

    def call_in_training(inputs, training=None, mask=None):
        return call(inputs, training=True, mask=mask)

    return call_in_training
