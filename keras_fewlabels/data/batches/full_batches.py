"""Full batches from arrays."""

import abc
import math
import random

import keras
import numpy as np

# Images of each part that tell data apart.
_SAMPLE = 64


class FullBatches(keras.utils.PyDataset, abc.ABC):
    """Batches of constant size, in an order drawn anew for each epoch.

    A subclass defines `new_order()`, which draws the images of an epoch, and
    `batch()`, which makes a batch of them. A change between two epochs takes
    effect in the next one, on every backend, because Keras asks a `PyDataset`
    without worker processes for each batch only when it is due.

    Args:
        num_steps: Int, the number of batches per epoch. It never changes,
            because Keras keeps the number it finds at the start of `fit()`.
        shuffle: Boolean. If `True`, each pass over a part has its own order.
        seed: Optional int that makes the orders reproducible. By default
            they follow `keras.utils.set_random_seed`.
    """

    def __init__(self, num_steps, shuffle=True, seed=None):
        super().__init__()
        self.num_steps = num_steps
        self.shuffle = shuffle
        # `keras.utils.set_random_seed` sets the generator of Python, too.
        self.seed = random.getrandbits(32) if seed is None else seed
        self._random = np.random.default_rng(self.seed)
        self._epoch_number = None
        self._order = None
        self._next = 0

    def begin_epoch(self, epoch):
        """Draws the order of an epoch from its number alone.

        Without this call, each epoch has the order that comes next. With it,
        a fit that was killed repeats the same epoch when it resumes.

        Args:
            epoch: Int, the number of the epoch, from 0.
        """
        self._epoch_number = epoch
        self._random = np.random.default_rng((self.seed, epoch))
        self._order = None
        self._next = 0

    @abc.abstractmethod
    def content_sample(self):
        """Returns the first images of each part, in whatever order they train.

        `callbacks.ExactBackup` tells data apart by them.
        """

    @abc.abstractmethod
    def new_order(self):
        """Returns the index tables of an epoch, `(num_steps, size)` each."""

    @abc.abstractmethod
    def batch(self, index, order):
        """Returns the batch number `index` of an epoch of this order."""

    def passes(self, num_images, batch_size):
        """Returns successive passes over all images, cut into batches.

        Args:
            num_images: Int, the number of images per pass.
            batch_size: Int, the number of images per batch.

        Returns:
            Int array of shape `(num_steps, batch_size)`.
        """
        total = self.num_steps * batch_size
        order = np.tile(np.arange(num_images), math.ceil(total / num_images))
        if self.shuffle:
            passes = order.reshape(-1, num_images)
            order = self._random.permuted(passes, axis=1).reshape(-1)
        return order[:total].reshape(self.num_steps, batch_size)

    def __len__(self):
        return self.num_steps

    def __getitem__(self, index):
        if self._order is None:
            self._order = self.new_order()
        # The index is not used, because `fit(shuffle=True)` permutes it by
        # draws that no seed of ours fixes and no backup holds.
        index = self._next % self.num_steps
        self._next += 1
        return self.batch(index, self._order)

    def on_epoch_begin(self):
        self._next = 0

    def on_epoch_end(self):
        self._order = None
        self._next = 0

    def as_dataset(self):
        """Returns the dataset that suits `fit()` on the backend in use.

        Returns:
            On TensorFlow, and where several JAX processes train, a
            `tf.data.Dataset` with static shapes, which a distribution can
            shard; elsewhere the `PyDataset` itself. Both have `begin_epoch`.
        """
        if not _is_sharded_by_tensorflow():
            return self
        import tensorflow as tf

        from keras_fewlabels.data.sources.streams import (
            from_passes,
            without_autotuning,
        )

        def begin_pass():
            epoch, order = self._epoch_number, self.new_order()

            def make(index):
                if epoch != self._epoch_number:
                    raise _past_epoch(epoch)
                return self.batch(index, order)

            return make

        signature = keras.tree.map_structure(
            lambda part: tf.TensorSpec(part.shape, part.dtype), self[0]
        )
        dataset = from_passes(begin_pass, self.num_steps, signature)
        dataset = dataset.prefetch(tf.data.AUTOTUNE)
        dataset = without_autotuning(dataset)
        dataset.begin_epoch = self.begin_epoch
        dataset.content_sample = self.content_sample
        return dataset


def _past_epoch(epoch):
    return ValueError(
        f"The fit still reads batches of epoch {epoch}, though the next one "
        "has begun, so that the order of its images cannot be repeated. Fit "
        "without `steps_per_epoch`, or with all batches of the dataset"
    )


def first_rows(part):
    """Returns the number of rows of an array or `ImageFiles`, and the first."""
    rows = np.arange(min(_SAMPLE, len(part)))
    return np.array(len(part)), np.asarray(part[rows])


def _is_sharded_by_tensorflow():
    if keras.backend.backend() == "jax":
        import jax

        return jax.process_count() > 1
    return keras.backend.backend() == "tensorflow"
