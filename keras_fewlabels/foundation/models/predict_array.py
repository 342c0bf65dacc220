"""The prediction of an array of images."""

import math

import keras
import numpy as np

from keras_fewlabels.foundation.has_accelerator import has_accelerator
from keras_fewlabels.foundation.keras_internals import trace_predict
from keras_fewlabels.foundation.models.called_model import has_own_predict

# Pixels of the images that pass through a model at once. More activations
# would need gigabytes of an accelerator. On a CPU, memory for arrays of more
# than 32 MiB is asked of the system again and again. For EfficientNet-Lite0 and
# B0, ResNet50 and MobileNetV3 this took 1.2 to 1.6 times as long. At 160 px,
# EfficientNet-Lite0 took 1.3 times as long with 16 images at once as with 8. At
# 224 px, 4 were faster than 8 for MobileNetV2 and slower for ResNet50.
_MAX_PIXELS, _MAX_PIXELS_ON_CPU = 2**21, 8 * 224**2
_MAX_BATCH_SIZE = 256


def batch_size_for(image_shape):
    """Returns how many images a model predicts at once.

    Args:
        image_shape: Tuple `(height, width, channels)`.

    Returns:
        Int, a power of 2, for the usual batches are then whole numbers of it.
        On a CPU 256 for images up to 39 px, 32 for those of 100 px, 8 for those
        of 160 and 224 px. On an accelerator 256 up to 90 px, 32 for 224 px.
    """
    pixels = _MAX_PIXELS if has_accelerator() else _MAX_PIXELS_ON_CPU
    most = pixels // max(1, math.prod(image_shape[:2]))
    return 2 ** int(np.log2(np.clip(most, 1, _MAX_BATCH_SIZE)))


def predict_array(model, images, batch_size=32, callbacks=None):
    """Returns what `model.predict` returns for an array of images.

    On TensorFlow a call of `predict` builds a pipeline with threads of its
    own, to cut an array into batches. Slices of the array need none: for cheap
    models they are faster by a third. A batch of large images passes in parts,
    as `batch_size_for` says.

    Args:
        model: Keras model.
        images: Array of images.
        batch_size: Int, how many images are predicted at a time.
        callbacks: Optional list of Keras callbacks, which see whole batches.
            Of a model with a `predict` of its own they see the end.

    Returns:
        Array of `(num_images, ...)`, or as many of them as there are outputs,
        in their structure.
    """
    is_traced = trace_predict(model, images)
    if not isinstance(model, keras.Model) or has_own_predict(model):
        return _predict_own(model, images, batch_size, callbacks)
    if not is_traced or not len(images):
        return model.predict(
            images, batch_size=batch_size, verbose=0, callbacks=callbacks
        )
    images = np.asarray(images)
    starts = range(0, len(images), batch_size)
    callbacks = keras.callbacks.CallbackList(
        callbacks, model=model, steps=len(starts), epochs=1
    )
    callbacks.on_predict_begin()
    size = min(batch_size, batch_size_for(images.shape[1:]))
    outputs = []
    for number, start in enumerate(starts):
        callbacks.on_predict_batch_begin(number)
        batch = _as_keras_casts(images[start : start + batch_size])
        parts = [
            model.predict_function([batch[first : first + size]])
            for first in range(0, len(batch), size)
        ]
        outputs.append(_joined(parts))
        callbacks.on_predict_batch_end(number, {"outputs": outputs[-1]})
    callbacks.on_predict_end()
    return _joined(outputs)


def _predict_own(model, images, batch_size, callbacks):
    """Calls a `predict` of its own, which may take no callbacks."""
    outputs = model.predict(images, batch_size=batch_size, verbose=0)
    if callbacks:
        steps = math.ceil(len(images) / batch_size)
        callbacks = keras.callbacks.CallbackList(
            callbacks, model=model, steps=steps, epochs=1
        )
        callbacks.on_predict_begin()
        callbacks.on_predict_batch_end(steps - 1, {"outputs": outputs})
        callbacks.on_predict_end()
    return outputs


def _joined(outputs):
    return keras.tree.map_structure(
        lambda *parts: np.concatenate(parts), *outputs
    )


def _as_keras_casts(images):
    if keras.backend.is_float_dtype(images.dtype.name):
        return images.astype(keras.config.floatx(), copy=False)
    return images
