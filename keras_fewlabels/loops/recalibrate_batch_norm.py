import contextlib

import keras
from keras import ops

from keras_fewlabels.callbacks.fine_tune.trainable_flags import TrainableFlags
from keras_fewlabels.foundation import check_int, check_type, flatten_layers


def recalibrate_batch_norm(model, images, *, batch_size=256):
    """Sets the statistics of batch normalization to those of given images.

    The moving averages of `BatchNormalization` lag behind the weights, start
    far from the truth in a new model, and after training under noise describe
    noisy images. This function sets them to the statistics of the images with
    the present weights. All other layers predict meanwhile, so nothing is
    dropped or augmented. Nothing else in the model changes.

    Args:
        model: Built Keras model.
        images: Array of images, in the form that the model takes.
        batch_size: Int, images per batch. Statistics are averaged over the
            batches. A last batch that is not full is left out, unless it is
            the only one.

    Raises:
        ValueError: If `model` is not a Keras model, there is no image, or
            `batch_size` is not an int above 0.

    Example:

    >>> model = keras.Sequential(
    ...     [keras.Input((1,)), keras.layers.BatchNormalization()]
    ... )
    >>> images = np.array([[1.0], [3.0]])
    >>> keras_fewlabels.loops.recalibrate_batch_norm(model, images)
    >>> [array.tolist() for array in model.get_weights()[2:]]
    [[2.0], [1.0]]
    """
    check_type(model, "model", keras.Model, "a Keras model")
    if not len(images):
        raise ValueError(
            "The statistics are those of at least one image. "
            f"Received: {len(images)} images"
        )
    check_int(batch_size, "batch_size")
    layers = [
        layer
        for layer in flatten_layers(model, include_self=False)
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    statistics = [
        part
        for layer in layers
        for part in (layer.moving_mean, layer.moving_variance)
    ]
    num_batches = max(1, len(images) // batch_size)
    totals = [0.0] * len(statistics)
    with _statistics_of_single_batches(model, layers):
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
def _statistics_of_single_batches(model, layers):
    """Makes the statistics of all given layers those of the last batch."""
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
    """Returns a `call` that trains, whatever its model does."""

    def call_in_training(inputs, training=None, mask=None):
        return call(inputs, training=True, mask=mask)

    return call_in_training
