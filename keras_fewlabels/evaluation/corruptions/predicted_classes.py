import keras
import numpy as np

from keras_fewlabels.evaluation.checks import check_scores


def predicted_classes(
    model, images, change, versions, batch_size, progress=None
):
    """The classes that a model predicts for versions of images.

    Args:
        model: A `keras.Model` that returns scores.
        images: Array of shape `(num_images, height, width, channels)`.
        change: Function of a batch of images, the number of its first, and a
            version, that returns what the model is to see.
        versions: Sequence of what `change` takes, such as severities. They
            share one call of `predict`, which takes its time to start.
        batch_size: Integer. Only a batch of changed images is held at once.
        progress: Optional `PredictionProgress`.

    Returns:
        Integer array of shape `(num_versions, num_images)`.

    Raises:
        ValueError: If the model returns no scores, or some that are NaN.
    """
    batches = _ChangedBatches(images, change, versions, batch_size)
    callbacks = [progress] if progress else None
    scores = model.predict(batches, verbose=0, callbacks=callbacks)
    check_scores(scores, len(versions) * len(images))
    return np.argmax(scores, axis=-1).reshape(len(versions), len(images))


class PredictionProgress(keras.callbacks.Callback):
    """One progress bar over several calls of `predict`, batch by batch.

    Args:
        num_batches: Integer, how many they will be in all.
        verbose: `"auto"`, 0, 1, or 2, as in `fit`.
    """

    def __init__(self, num_batches, verbose):
        super().__init__()
        verbose = 1 if verbose == "auto" else verbose
        self.bar = keras.utils.Progbar(num_batches, verbose=verbose)
        self.done = 0

    def on_predict_begin(self, logs=None):
        self.start = self.done

    def on_predict_batch_end(self, batch, logs=None):
        # Keras may take several batches in a step, and count beyond the last.
        batch = min(batch + 1, self.params["steps"])
        self.done = self.start + batch
        self.bar.update(self.done)


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
