"""Features of many images, computed once."""

import time

import numpy as np

from keras_fewlabels.evaluation.features import flat_features
from keras_fewlabels.foundation import trace_predict

BATCH_SIZE = 64
# The batches that are in memory at a time, at most.
_MAX_BATCHES = 16
# About the seconds between two changes of the progress.
_SECONDS = 2.0


class FeatureReader:
    """Computes features of images, a piece at a time.

    Args:
        extractor: Keras model of two outputs, features first, as of
            `with_features`.
        mirrored: Boolean. If `True`, the features of an image are the mean of
            those of the image and of its mirror image.

    Attributes:
        seconds_per_image: Float, how long the features of one view of an
            image take, without tracing; `None` before any image.
    """

    def __init__(self, extractor, mirrored):
        self._extractor = extractor
        self.mirrored = mirrored
        self.seconds_per_image = None

    @property
    def num_views(self):
        """Int, how often an image passes through the model."""
        return 2 if self.mirrored else 1

    def read(self, source, count=None, progress=None):
        """Returns the features of the images of a source, in half precision.

        Args:
            source: `ImageSource`.
            count: Optional int, how many images, from the first one on. By
                default all.
            progress: Optional function of the number of images that are done.

        Returns:
            Float16 array of shape `(count, num_features)`.
        """
        features, done = [], 0
        count = len(source) if count is None else count
        while done < count:
            images = source.read(done, min(self._piece(), count - done))
            features.append(self._features_of(images))
            done += len(images)
            if progress is not None:
                progress(done)
        return np.concatenate(features)

    def _piece(self):
        if self.seconds_per_image is None:
            return BATCH_SIZE
        seconds_per_batch = self.seconds_per_image * self.num_views * BATCH_SIZE
        num_batches = _SECONDS / seconds_per_batch
        return BATCH_SIZE * int(np.clip(num_batches, 1, _MAX_BATCHES))

    def _features_of(self, images):
        trace_predict(self._extractor, images)
        views = [images]
        if self.mirrored:
            views.append(images[:, :, ::-1])
        if self.seconds_per_image is None:
            # The first batch is traced, so the second one tells the time.
            self._predict(images)
        started = time.perf_counter()
        features = sum(map(self._predict, views)) / len(views)
        seconds = time.perf_counter() - started
        self.seconds_per_image = seconds / (len(views) * len(images))
        return features.astype("float16")

    def _predict(self, images):
        outputs = self._extractor.predict(
            images, batch_size=BATCH_SIZE, verbose=0
        )
        return flat_features(outputs[0])
