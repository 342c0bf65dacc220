"""Full batches of labelled and pseudo-labelled images from datasets."""

import math
import random

import numpy as np
import tensorflow as tf

from keras_fewlabels.data.batches.pseudo_labeled_epoch import (
    EpochByEpoch,
    stale_batches,
)
from keras_fewlabels.data.sources.read_labels import read_labels
from keras_fewlabels.data.sources.streams import (
    as_stream,
    check_elements,
    finite,
    of_shape,
    without_autotuning,
)

# Images in memory that are shuffled among each other.
_SHUFFLE_WINDOW = 1024
# Images whose pseudo-labels are looked up at a time.
_CHUNK = 256


class PseudoLabeledStreams(EpochByEpoch):
    """Batches `(images, labels)` of true and pseudo-labels from datasets.

    Each epoch reads the unlabelled images once. It repeats each of them as
    often as the image was chosen, and drops those without a pseudo-label.

    Args:
        labeled: Tuple of arrays, `tf.data.Dataset` or `PyDataset` of
            `(images, labels)`.
        unlabeled: `ImageSource`.
        batch_size: Int, images per batch.
        num_steps: Optional int, batches per epoch. By default as many as one
            pass over all images takes.
        shuffle: Boolean. If `True`, images are shuffled in a window of 1,024.
        seed: Optional int that makes the orders reproducible. By default they
            follow `keras.utils.set_random_seed`.

    Attributes:
        labels: Array of the labels of the labelled images.

    Raises:
        ValueError: If labelled and unlabelled images do not go together.
    """

    def __init__(
        self,
        labeled,
        unlabeled,
        batch_size,
        num_steps=None,
        shuffle=True,
        seed=None,
    ):
        self.labeled = as_stream(labeled, argument="labeled")
        images = as_stream(unlabeled.images)
        shape = check_elements(self.labeled, images)
        if len(self.labeled.element_spec) != 2:
            raise ValueError(
                "The labelled dataset must give pairs (images, labels), "
                "without sample weights. "
                f"Received: elements {self.labeled.element_spec}"
            )
        self.labels, _ = read_labels(self.labeled)
        self.labeled = finite(of_shape(self.labeled, shape), "labeled")
        self.chunks = of_shape(as_stream(unlabeled.images, _CHUNK), shape)
        if num_steps is None:
            num_images = len(self.labels) + len(unlabeled)
            num_steps = math.ceil(num_images / batch_size)
        self.batch_size = batch_size
        self.num_steps = num_steps
        self.shuffle = shuffle
        self.seed = random.getrandbits(32) if seed is None else seed
        self._version = 0
        self.fill_epoch(0, np.empty(0, "int64"), None)

    def labeled_rows(self, rows):
        # Of one pass, for the next one may have another order.
        wanted = set(rows.tolist())
        elements = enumerate(self.labeled.as_numpy_iterator())
        chosen = [pair for number, pair in elements if number in wanted]
        return tuple(map(np.stack, zip(*chosen, strict=True)))

    def fill_epoch(self, epoch, chosen, targets, known=None):
        super().fill_epoch(epoch, chosen, targets, known)
        self._is_pseudo = self._epoch.slots >= len(self.labels)
        indices = self._epoch.slots[self._is_pseudo] - len(self.labels)
        # It ends with the last image that is used. Those after it count 0.
        self._num_uses = np.bincount(indices).astype("int32")
        self._version += 1

    def as_dataset(self):
        """Returns a `tf.data.Dataset` whose passes are the current epoch."""
        # `flat_map` calls `_one_epoch` anew for each pass, which has its own
        # order.
        dataset = tf.data.Dataset.range(1).flat_map(self._one_epoch)
        cardinality = tf.data.experimental.assert_cardinality(self.num_steps)
        dataset = dataset.apply(cardinality).prefetch(tf.data.AUTOTUNE)
        dataset = without_autotuning(dataset)
        dataset.content_sample = self.content_sample
        return dataset

    def content_sample(self):
        """Returns labels and the first images, as `FullBatches` does."""
        images = self.labeled.batch(_SHUFFLE_WINDOW // 16)
        return [self.labels, next(images.as_numpy_iterator())]

    def _one_epoch(self, _):
        version, seed, is_pseudo = tf.numpy_function(
            lambda: (
                np.int64(self._version),
                np.int64(hash(self._epoch.seed) % 2**32),
                self._is_pseudo,
            ),
            [],
            (tf.int64, tf.int64, tf.bool),
        )
        pseudo = self.chunks.enumerate().map(
            lambda place, images: self._chosen(version, place, images),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
        true, pseudo = self.labeled.repeat(), pseudo.unbatch()
        if self.shuffle:
            window = min(len(self.labels), _SHUFFLE_WINDOW)
            true = _shuffled(true, window, seed)
            pseudo = _shuffled(pseudo, _SHUFFLE_WINDOW, seed)
        is_pseudo.set_shape([None])
        choices = tf.data.Dataset.from_tensor_slices(
            tf.reshape(is_pseudo, (-1, self.batch_size))
        )
        choices = choices.map(lambda batch: tf.cast(batch, tf.int64)).unbatch()
        dataset = tf.data.Dataset.choose_from_datasets(
            [true, pseudo], choices, stop_on_empty_dataset=False
        )
        batches = dataset.batch(self.batch_size, drop_remainder=True)
        return batches.map(lambda *batch: self._current(version, *batch))

    def _chosen(self, version, place, images):
        """Returns the chosen images of a chunk with their pseudo-labels."""
        label = self.labeled.element_spec[1]
        rows, labels = tf.numpy_function(
            self._look_up,
            [version, place * _CHUNK, tf.shape(images)[0]],
            (tf.int64, label.dtype),
        )
        rows.set_shape([None])
        labels.set_shape([None, *label.shape])
        return tf.gather(images, rows), labels

    def _look_up(self, version, first, size):
        self._check(version)
        num_uses = self._num_uses[first : first + size]
        rows = np.repeat(np.arange(len(num_uses)), num_uses)
        return rows, self._epoch.pseudo_labels(first + rows)

    def _current(self, version, images, labels):
        (version,) = tf.numpy_function(self._check, [version], [tf.int64])
        with tf.control_dependencies([version]):
            return tf.identity(images), tf.identity(labels)

    def _check(self, version):
        if version != self._version:
            raise stale_batches()
        return version


def _shuffled(stream, window, seed):
    """Returns a stream that is shuffled window by window."""

    # `Dataset.shuffle` needs its seed already when the dataset is built.
    def shuffle(number, *parts):
        order = tf.random.experimental.stateless_shuffle(
            tf.range(tf.shape(parts[0])[0]), seed=tf.stack([seed, number])
        )
        return tuple(tf.gather(part, order) for part in parts)

    windows = stream.batch(window).enumerate()
    return windows.map(lambda number, parts: shuffle(number, *parts)).unbatch()
