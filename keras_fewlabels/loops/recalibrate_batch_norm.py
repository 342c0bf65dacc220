import keras

from keras_fewlabels.foundation import (
    MovingStatistics,
    check_called,
    check_int,
    check_one_input,
    check_type,
)


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
        ValueError: If `model` is not a Keras model with one input that does
            all preprocessing in its layers, there is no image, or
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
    check_one_input(model, "model")
    if not len(images):
        raise ValueError(
            "The statistics are those of at least one image. "
            f"Received: {len(images)} images"
        )
    check_int(batch_size, "batch_size")
    check_called(model, "model", images[:2])
    statistics = MovingStatistics(model)
    statistics.set(statistics.measured(images, batch_size))
