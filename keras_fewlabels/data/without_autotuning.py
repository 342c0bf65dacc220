"""Datasets that a fit is done with as soon as it has read them."""

import tensorflow as tf


def without_autotuning(dataset):
    """Turns off that TensorFlow tunes a dataset while it is read.

    In TensorFlow 2.21 the thread that tunes misses now and then that it is
    to end. It then sleeps on, for up to a minute, and a fit waits for it
    between two epochs. Little is lost: parallel calls of `AUTOTUNE`, also in
    datasets that users give, are then as many as there are cores.

    Args:
        dataset: `tf.data.Dataset`.

    Returns:
        A `tf.data.Dataset` of the same elements.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
