"""Full batches of labelled and unlabelled images out of datasets."""

import math
import random

import numpy as np
import tensorflow as tf

from keras_fewlabels.data.checks.labels import check_truth
from keras_fewlabels.data.sources.streams import (
    as_stream,
    check_elements,
    count_images,
    without_autotuning,
)

_SHUFFLE_WINDOW = 1024
_MANY_TIMES = 2**40


class MixedStreams:
    """Batches of two sources, at least one of which is a dataset.

    A pass shows all images of the part that needs more batches; the other
    part repeats, in a new order each time it starts again.

    Args:
        labeled: Tuple of arrays, `tf.data.Dataset` or `PyDataset` of tuples.
        unlabeled: Array, `tf.data.Dataset` or `PyDataset` of images.
        sizes: Pair of ints, labelled and unlabelled images per batch.
        shuffle: Boolean, whether to shuffle in a window of 1,024 images.
        seed: Optional int that makes the order reproducible. By default it
            follows `keras.utils.set_random_seed`.
        truth: Optional int32 array, the true classes of the unlabelled
            images.

    Attributes:
        num_steps: Int, batches of one pass.
    """

    def __init__(
        self, labeled, unlabeled, sizes, shuffle=True, seed=None, truth=None
    ):
        streams = as_stream(labeled), as_stream(unlabeled)
        check_elements(*(stream.element_spec for stream in streams))
        self._lengths = [
            count_images(stream, name)
            for stream, name in zip(
                streams, ("labeled", "unlabeled"), strict=True
            )
        ]
        if truth is not None:
            check_truth(truth, self._lengths[1])
        # Counted before they are shuffled: an image keeps its number.
        self._streams = streams[0], streams[1].enumerate()
        self._sizes = sizes
        self._shuffle = shuffle
        self._truth = truth
        # Python's generator is one that `keras.utils.set_random_seed` sets.
        self.seed = random.getrandbits(32) if seed is None else seed
        self._random = np.random.default_rng(self.seed)
        self.num_steps = max(map(math.ceil, np.divide(self._lengths, sizes)))

    def begin_epoch(self, epoch):
        """Draws the order of an epoch from its number alone.

        Without it the orders follow one another. With it an epoch that starts
        again, in a fit that was killed, is the same epoch: if the datasets
        themselves come in the same order in every pass.

        Args:
            epoch: Int, the number of the epoch, from 0.
        """
        self._random = np.random.default_rng((self.seed, epoch))

    def as_dataset(self, num_passes=1):
        """What `fit()` takes.

        Args:
            num_passes: Int, how many passes an epoch is.

        Returns:
            A `tf.data.Dataset` of what `mix_labeled_unlabeled` describes,
            with `begin_epoch`.
        """
        # Around a whole pass, so that each asks for its own order.
        dataset = tf.data.Dataset.range(num_passes).flat_map(self._one_pass)
        cardinality = tf.data.experimental.assert_cardinality(
            num_passes * self.num_steps
        )
        dataset = dataset.apply(cardinality).prefetch(tf.data.AUTOTUNE)
        dataset = without_autotuning(dataset)
        dataset.begin_epoch = self.begin_epoch
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
        """A part again and again, without an end."""
        stream, length = self._streams[part], self._lengths[part]
        if not self._shuffle:
            return stream.repeat()
        window = min(length, _SHUFFLE_WINDOW)

        def one_time(number):
            # Of the graph of this function: with a global seed of 0,
            # `shuffle` would compare the tensor with it.
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
