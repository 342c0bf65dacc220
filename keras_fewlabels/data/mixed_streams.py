"""Full batches of labelled and unlabelled images out of datasets."""

import math

import numpy as np
import tensorflow as tf

from keras_fewlabels.data.streams import (
    as_stream,
    check_elements,
    count_images,
)
from keras_fewlabels.data.validation import check_truth

_SHUFFLE_WINDOW = 1024


def mixed_streams(
    labeled, unlabeled, sizes, shuffle=True, seed=None, truth=None
):
    """Mixes two sources, at least one of which is a dataset.

    Args:
        labeled: Tuple of arrays, `tf.data.Dataset` or `PyDataset` of tuples.
        unlabeled: Array, `tf.data.Dataset` or `PyDataset` of images.
        sizes: Pair of ints, labelled and unlabelled images per batch.
        shuffle: Boolean, whether to shuffle in a window of 1,024 images.
        seed: Optional int that makes the order reproducible.
        truth: Optional int32 array, the true classes of the unlabelled
            images.

    Returns:
        A `tf.data.Dataset` of what `mix_labeled_unlabeled` describes.
    """
    streams = as_stream(labeled), as_stream(unlabeled)
    check_elements(*(stream.element_spec for stream in streams))
    lengths = [
        count_images(stream, name)
        for stream, name in zip(streams, ("labeled", "unlabeled"), strict=True)
    ]
    if truth is not None:
        check_truth(truth, lengths[1])
    num_batches = max(map(math.ceil, np.divide(lengths, sizes)))
    # Counted before they are shuffled: an image keeps its number.
    streams = streams[0], streams[1].enumerate()
    batched = []
    for stream, length, size in zip(streams, lengths, sizes, strict=True):
        if shuffle:
            stream = stream.shuffle(min(length, _SHUFFLE_WINDOW), seed=seed)
        batched.append(stream.repeat().batch(size, drop_remainder=True))

    def as_model_input(labeled, unlabeled):
        images, *labels = labeled
        indices, unlabeled_images = unlabeled
        inputs = {
            "labeled": images,
            "unlabeled": unlabeled_images,
            "index": tf.cast(indices, tf.int32),
        }
        if truth is not None:
            inputs["truth"] = tf.gather(truth, indices)
        return inputs, *labels

    mixed = tf.data.Dataset.zip(*batched).take(num_batches)
    return mixed.map(as_model_input).prefetch(tf.data.AUTOTUNE)
