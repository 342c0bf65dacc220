import keras
import numpy as np
from keras import ops

from keras_fewlabels.evaluation.checks import check_scores
from keras_fewlabels.foundation import has_own_predict

# The batches that are predicted at a time by a model that takes arrays only.
_BATCHES_PER_PIECE = 16


def predict_classes(
    model, images, change, versions, batch_size, scores, progress=None
):
    """Predicts the classes of several versions of images.

    Args:
        model: A `keras.Model` that returns scores.
        images: Array of shape `(num_images, height, width, channels)`.
        change: Function of a batch of images, the position of its first
            image, and a version, that returns the inputs of the model.
        versions: Sequence of values for `change`, such as severities. They
            share one call of `predict`, because each call starts slowly.
        batch_size: Integer. Only a batch of changed images is held at once.
        scores: `ClassScores`, the kind of scores of the model.
        progress: Optional `PredictionProgress`.

    Returns:
        Integer array of shape `(num_versions, num_images)`, or of 0 and 1 of
        shape `(num_versions, num_images, num_classes)` where several classes
        may be true.

    Raises:
        ValueError: If the model returns other than finite scores.
    """
    batches = _ChangedBatches(images, change, versions, batch_size)
    callbacks = [progress] if progress else None
    if has_own_predict(model):
        pieces = range(0, len(batches), _BATCHES_PER_PIECE)
        outputs = np.concatenate(
            [
                model.predict(
                    batches.piece(first), batch_size=batch_size, verbose=0
                )
                for first in pieces
            ]
        )
    else:
        outputs = model.predict(batches, verbose=0, callbacks=callbacks)
    check_scores(outputs, len(versions) * len(images))
    probabilities = ops.convert_to_numpy(scores.probabilities(outputs))
    decisions = scores.decide(probabilities)
    return decisions.reshape(len(versions), len(images), *decisions.shape[1:])


class _ChangedBatches(keras.utils.PyDataset):
    def __init__(self, images, change, versions, batch_size):
        super().__init__()
        self.images = images
        self.change = change
        self.batches = [
            (version, first)
            for version in versions
            for first in range(0, len(images), batch_size)
        ]
        self.batch_size = batch_size

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        version, first = self.batches[index]
        batch = self.images[first : first + self.batch_size]
        return (self.change(batch, first, version),)

    def piece(self, first):
        """Returns some batches from the given one on, as one array."""
        indices = range(first, min(first + _BATCHES_PER_PIECE, len(self)))
        return np.concatenate([self[index][0] for index in indices])
