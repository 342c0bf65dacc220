import contextlib

from keras import ops

from keras_fewlabels.foundation import batch_norms


@contextlib.contextmanager
def separate_statistics(model, num_labeled, num_images):
    """Makes batch normalization see two parts of a batch one after the other.

    Each part is normalized by its own statistics, and both move the moving
    statistics. All other layers see the whole batch, so what they add to the
    loss counts once.

    Args:
        model: Built Keras model that is called meanwhile.
        num_labeled: Int or int tensor, the images of the first part.
        num_images: Int or int tensor, all images.
    """
    layers = batch_norms(model)
    try:
        for layer in layers:
            layer.call = _by_part(layer.call, num_labeled, num_images)
        yield
    finally:
        for layer in layers:
            vars(layer).pop("call", None)


def _by_part(call, num_labeled, num_images):
    def call_by_part(inputs, training=None, mask=None):
        # A model may cut images into pieces, which then are rows.
        first = ops.shape(inputs)[0] * num_labeled // num_images
        parts = [slice(None, first), slice(first, None)]
        outputs = [
            call(
                inputs[part],
                training=training,
                mask=None if mask is None else mask[part],
            )
            for part in parts
        ]
        return ops.concatenate(outputs)

    return call_by_part
