"""Full batches of labelled and unlabelled images from datasets."""

import math
import random

import numpy as np
import tensorflow as tf

from keras_fewlabels.data.checks import check_labels, check_truth
from keras_fewlabels.data.sources.read_labels import read_labels
from keras_fewlabels.data.sources.streams import (
    as_stream,
    check_elements,
    count_images,
    finite,
    of_shape,
    without_autotuning,
)

_SHUFFLE_WINDOW = 1024
_MANY_TIMES = 2**40
# Images of each part that tell data apart.
_SAMPLE = 64


class MixedStreams:
    """Batches of two sources, at least one of which is a dataset.

    A pass has all images of the part that needs more batches. The other part
    repeats, in a new order each time it starts again.

    Args:
        labeled: Tuple of arrays, `tf.data.Dataset` or `PyDataset` of tuples.
        unlabeled: Array, `tf.data.Dataset` or `PyDataset` of images.
        batch_size: Int, labelled images per batch.
        unlabeled_batch_size: Int, unlabelled images per batch.
        shuffle: Boolean. If `True`, images are shuffled in a window of 1,024.
        seed: Optional int that makes the order reproducible. By default it
            follows `keras.utils.set_random_seed`.
        truth: Optional int32 array, the true classes of the unlabelled
            images.

    Attributes:
        num_steps: Int, batches of one pass.
    """

    def __init__(
        self,
        labeled,
        unlabeled,
        batch_size,
        unlabeled_batch_size,
        shuffle=True,
        seed=None,
        truth=None,
    ):
        streams = as_stream(labeled, argument="labeled"), as_stream(unlabeled)
        shape = check_elements(*streams)
        self._lengths = [
            count_images(streams[0], "labeled"),
            count_images(streams[1], "unlabeled"),
        ]
        if not isinstance(labeled, tuple):
            # Those of arrays are checked where they are taken.
            labels, _ = read_labels(streams[0])
            check_labels(labels, "labels of labeled", one_true=None)
        if truth is not None:
            check_truth(truth, self._lengths[1])
        streams = [
            finite(of_shape(stream, shape), argument)
            for stream, argument in zip(
                streams, ("labeled", "unlabeled"), strict=True
            )
        ]
        self._unlabeled = streams[1]
        # Enumerated before the shuffling, so that an image keeps its index.
        self._streams = streams[0], streams[1].enumerate()
        self._sizes = batch_size, unlabeled_batch_size
        self._shuffle = shuffle
        self._truth = truth
        # `keras.utils.set_random_seed` sets the generator of Python, too.
        self.seed = random.getrandbits(32) if seed is None else seed
        self._random = np.random.default_rng(self.seed)
        self.num_steps = max(
            map(math.ceil, np.divide(self._lengths, self._sizes))
        )

    def content_sample(self):
        """Returns the first images of each part, as `FullBatches` does."""
        labeled, unlabeled = self._streams
        return [
            np.array(self._lengths),
            next(labeled.batch(_SAMPLE).as_numpy_iterator()),
            next(unlabeled.batch(_SAMPLE).as_numpy_iterator()),
        ]

    def has_fixed_order(self):
        """Returns whether two passes begin with the same unlabelled images."""
        first = self._unlabeled.batch(_SAMPLE)
        return np.array_equal(
            *(next(first.as_numpy_iterator()) for _ in range(2))
        )

    def begin_epoch(self, epoch):
        """Draws the order of an epoch from its number alone.

        Without this call, each epoch has the order that comes next. With it,
        a fit that was killed repeats the same epoch when it resumes, if the
        datasets themselves have the same order in every pass.

        Args:
            epoch: Int, the number of the epoch, from 0.
        """
        self._random = np.random.default_rng((self.seed, epoch))

    def as_dataset(self, num_passes=1):
        """Returns the dataset that `fit()` takes.

        Args:
            num_passes: Int, the number of passes per epoch.

        Returns:
            A `tf.data.Dataset` of what `mix_labeled_unlabeled` describes,
            with `begin_epoch`.
        """
        # `flat_map` calls `_one_pass` anew for each pass, which draws its own
        # order.
        dataset = tf.data.Dataset.range(num_passes).flat_map(self._one_pass)
        cardinality = tf.data.experimental.assert_cardinality(
            num_passes * self.num_steps
        )
        dataset = dataset.apply(cardinality).prefetch(tf.data.AUTOTUNE)
        dataset = without_autotuning(dataset)
        dataset.begin_epoch = self.begin_epoch
        dataset.content_sample = self.content_sample
        dataset.has_fixed_order = self.has_fixed_order
        return dataset

    def _one_pass(self, _):
        seeds = tf.numpy_function(
            lambda: self._random.integers(2**62, size=2), [], tf.int64
        )
        seeds.set_shape([2])
        batched = [
            self._repeated(part, seeds[part]).batch(size, drop_remainder=True)
            for part, size in enumerate(self._sizes)
        ]
        mixed = tf.data.Dataset.zip(*batched).take(self.num_steps)
        return mixed.map(self._as_model_input)

    def _repeated(self, part, seed):
        """Returns a part that repeats without an end."""
        stream, length = self._streams[part], self._lengths[part]
        if not self._shuffle:
            return stream.repeat()
        window = min(length, _SHUFFLE_WINDOW)

        def one_time(number):
            # This sets the seed of the graph of this function. With a global
            # seed of 0, `shuffle` would compare the tensor `seed` with it.
            tf.random.set_seed(1)
            return stream.shuffle(
                window, seed + number, reshuffle_each_iteration=False
            )

        return tf.data.Dataset.range(_MANY_TIMES).flat_map(one_time)

    def _as_model_input(self, labeled, unlabeled):
        images, *labels = labeled
        indices, unlabeled_images = unlabeled
        inputs = {
            "labeled": images,
            "unlabeled": unlabeled_images,
            "index": tf.cast(indices, tf.int32),
        }
        if self._truth is not None:
            inputs["truth"] = tf.gather(self._truth, indices)
        return inputs, *labels
