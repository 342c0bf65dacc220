"""Features of many images, computed once."""

import math
import time

import keras
import numpy as np

from keras_fewlabels.data.sources.read_ahead import ReadAhead
from keras_fewlabels.evaluation.features import flat_features
from keras_fewlabels.foundation import fingerprint, predict_array

BATCH_SIZE = 64
# Bytes of images that are in memory at a time, unless a batch has more.
_MOST_BYTES = 2**26
# Half precision holds features whose largest is between these.
_HALF = 1e-2, 1e4
# About the seconds between two changes of the progress.
_SECONDS = 2.0


class FeatureReader:
    """Computes features of images, a piece at a time.

    Args:
        extractor: Keras model of two outputs, features first, as of
            `with_features`.
        mirrored: Boolean. If `True`, an image has two views: itself and its
            mirror image.
        store: Optional `ArrayStore`. A pass that is killed and started again
            reads the finished pieces from it.
        made_from: String, the fingerprint of the extractor's weights.
    """

    def __init__(self, extractor, mirrored, store=None, made_from=""):
        self._extractor = extractor
        self.mirrored = mirrored
        self._store, self._made_from = store, made_from
        self._is_traced = False
        # The first piece by its name, for a pace may be measured by it.
        self._first = {}
        # Of all pieces, for a single one may be small.
        self._seconds, self._num_passes = 0.0, 0

    @property
    def seconds_per_image(self):
        """Float, how long one view of an image takes, reading included.

        Tracing does not count. `None` before any image.
        """
        return self._seconds / self._num_passes if self._num_passes else None

    @property
    def num_views(self):
        """Int, how often an image passes through the model."""
        return 2 if self.mirrored else 1

    def read(self, source, count=None, progress=None, images=""):
        """Returns the features of the images of a source.

        They are in half precision, unless they are too large or small for it.

        Beside them, two pieces of images are in memory.

        Args:
            source: `ImageSource`.
            count: Optional int, how many images, from the first one on. By
                default all.
            progress: Optional function of the number of images that are done.
            images: String, the fingerprint of the images, by which pieces are
                known that are stored or kept.

        Returns:
            Float16 or float32 array of shape `(count, num_views,
            num_features)`, of which the first view is the image as it is.
        """
        key = fingerprint(self._made_from, images, self.mirrored)
        count = len(source) if count is None else count
        features, done = None, 0
        for rows in self._pieces(source, count, key, keep=bool(images)):
            if features is None:
                features = np.empty((count, *rows.shape[1:]), rows.dtype)
            if features.dtype != rows.dtype:
                features = features.astype("float32")
            features[done : done + len(rows)] = rows
            done += len(rows)
            if progress is not None:
                progress(done)
        return features

    def _pieces(self, source, count, key, keep):
        """Yields the features in their order, stored ones as they are."""
        done, size = 0, self._piece(source)
        with ReadAhead(source) as reader:
            while done < count:
                name = f"features_{key}_{done:05d}"
                rows = self._first.get(name)
                if rows is None:
                    rows = self._stored(name, key)
                if rows is None:
                    size = min(size, count - done)
                    after = done + size
                    coming = min(self._piece(source), count - after)
                    started = time.perf_counter()
                    images = reader.read(
                        done, size, (after, coming) if coming else None
                    )
                    seconds = time.perf_counter() - started
                    rows, more = self._features_of(images)
                    self._write(name, key, rows, seconds + more)
                    size = coming
                if keep and not self._first:
                    self._first = {name: rows}
                yield rows
                done += len(rows)

    def _stored(self, name, key):
        """Returns the rows of a stored piece, or `None`."""
        piece = None if self._store is None else self._store.read(name, key)
        if piece is None:
            return None
        self._count(piece["features"], float(piece["seconds"]))
        return piece["features"]

    def _write(self, name, key, rows, seconds):
        self._count(rows, seconds)
        if self._store is not None:
            piece = {"features": rows, "seconds": np.array(seconds)}
            self._store.write(name, key, piece)

    def _count(self, rows, seconds):
        self._seconds += seconds
        self._num_passes += self.num_views * len(rows)

    def _piece(self, source):
        """Returns how many images to read next."""
        if self.seconds_per_image is None:
            return BATCH_SIZE
        batch = math.prod(source.shape) * source.dtype.itemsize * BATCH_SIZE
        num_batches = min(
            _SECONDS / (self.seconds_per_image * self.num_views * BATCH_SIZE),
            _MOST_BYTES / batch,
        )
        return BATCH_SIZE * max(1, int(num_batches))

    def _features_of(self, images):
        views = [images]
        if self.mirrored:
            views.append(images[:, :, ::-1])
        if not self._is_traced:
            # JAX compiles for each number of images.
            is_jax = keras.backend.backend() == "jax"
            self._predict(images[: BATCH_SIZE if is_jax else 1])
            self._is_traced = True
        started = time.perf_counter()
        features = np.stack(list(map(self._predict, views)), axis=1)
        seconds = time.perf_counter() - started
        low, high = _HALF
        if low <= np.abs(features).max() <= high:
            features = features.astype("float16")
        return features, seconds

    def _predict(self, images):
        outputs = predict_array(self._extractor, images, BATCH_SIZE)
        return flat_features(outputs[0])
