"""Datasets that a fit is done with as soon as it has read them."""

import tensorflow as tf


def without_autotuning(dataset):
    """Turns off that TensorFlow tunes a dataset while it is read.

    In TensorFlow 2.21 the thread that tunes misses now and then that it is
    to end. It then sleeps on, for up to a minute, and a fit waits for it
    between two epochs. There is nothing to tune in the datasets of this
    package: `AUTOTUNE` in them, and in those that users give, means the number
    of cores.

    Args:
        dataset: `tf.data.Dataset`.

    Returns:
        A `tf.data.Dataset` of the same elements.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
