import concurrent.futures
import itertools

import numpy as np
from keras import ops

from keras_fewlabels.evaluation.checks import check_scores
from keras_fewlabels.foundation import predict_array


def predict_classes(
    model, images, change, versions, batch_size, scores, progress=None
):
    """Predicts the classes of several versions of images.

    Args:
        model: A `keras.Model` that returns scores.
        images: Array of shape `(num_images, height, width, channels)`.
        change: Function of a batch of images, the position of its first
            image, and a version, that returns the inputs of the model.
        versions: Sequence of values for `change`, such as severities.
        batch_size: Integer. Of the changed images, two batches are held at
            once: one is predicted while the next one is changed.
        scores: `ClassScores`, the kind of scores of the model.
        progress: Optional `PredictionProgress`.

    Returns:
        Integer array of shape `(num_versions, num_images)`, or of 0 and 1 of
        shape `(num_versions, num_images, num_classes)` where several classes
        may be true.

    Raises:
        ValueError: If the model returns other than finite scores.
    """
    callbacks = [progress] if progress else None
    outputs = [
        predict_array(model, batch, batch_size, callbacks)
        for batch in _changed_batches(images, change, versions, batch_size)
    ]
    outputs = np.concatenate(outputs)
    check_scores(outputs, len(versions) * len(images))
    probabilities = ops.convert_to_numpy(scores.probabilities(outputs))
    decisions = scores.decide(probabilities)
    return decisions.reshape(len(versions), len(images), *decisions.shape[1:])


def _changed_batches(images, change, versions, batch_size):
    """Yields the batches of all versions. The next one is changed meanwhile."""

    def changed(version, first):
        return change(images[first : first + batch_size], first, version)

    starts = range(0, len(images), batch_size)
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        coming = None
        for version, first in itertools.product(versions, starts):
            ready, coming = coming, thread.submit(changed, version, first)
            if ready is not None:
                yield ready.result()
        yield coming.result()
