"""Calls of a layer inside `tf.data`, and the seeds for them."""

import sys

import keras
from keras import ops


class DatasetSeedGenerator:
    """A generator of seeds for the parallel calls of a `tf.data` map.

    `keras.random.SeedGenerator` reads its state and then writes it, so that
    two parallel calls can get the same seed. This generator counts in one
    step. It runs on the CPU, as `tf.data` does, whatever the Keras backend.

    Args:
        seed_generator: The `keras.random.SeedGenerator` of the layer, with
            the seed and the count to start from.
    """

    def __init__(self, seed_generator):
        import tensorflow as tf

        # Datasets only read resources of the host, also on machines with GPUs.
        with tf.init_scope(), tf.device("CPU:0"):
            state = keras.ops.convert_to_numpy(seed_generator.state.value)
            self.seed = tf.constant(state[0].astype("int32"))
            self.count = tf.Variable(state[1].astype("int32"), trainable=False)
            self.calls = tf.Variable(0, trainable=False)

    def next(self):
        """Returns the next seed, an int32 tensor of shape `(2,)`."""
        import tensorflow as tf

        return tf.stack([self.seed, _count_up(self.count)])

    def is_first_call(self):
        """Returns a boolean tensor, true for the first call of this method."""
        return _count_up(self.calls) == 0


def _count_up(variable):
    import tensorflow as tf

    return tf.raw_ops.ResourceCountUpTo(
        resource=variable.handle, limit=2**31 - 1, T=tf.int32
    )


def in_dataset():
    """Returns whether a function of a `tf.data.Dataset` is being traced.

    Example:

    >>> in_dataset()
    False
    """
    import tensorflow as tf

    if tf.executing_eagerly():
        return False
    graph = tf.compat.v1.get_default_graph()
    while graph is not None:
        if (getattr(graph, "name", None) or "").startswith("Dataset_"):
            return True
        graph = getattr(graph, "outer_graph", None)
    return False


def unconverted(function):
    """Returns a function that a dataset calls as it is, on TensorFlow.

    `Dataset.map` otherwise rewrites its source and that of all that it calls,
    in search of loops over tensors. That takes seconds, and there are none.

    Example:

    >>> unconverted(abs)(-1)
    1
    """
    if keras.backend.backend() != "tensorflow" or not in_dataset():
        return function
    import tensorflow as tf

    return tf.autograph.experimental.do_not_convert(function)


def in_foreign_dataset(images):
    """Returns whether images are TensorFlow symbols under another backend.

    Example:

    >>> in_foreign_dataset(np.zeros((8, 8, 3)))
    False
    """
    tensorflow = sys.modules.get("tensorflow")
    return (
        keras.backend.backend() != "tensorflow"
        and tensorflow is not None
        and tensorflow.is_symbolic_tensor(images)
    )


def call_on_host(layer, images, numbers, *args, index=None, **kwargs):
    """Adds a call of the layer, by its own backend, to a TensorFlow graph.

    Args:
        layer: A `keras.layers.Layer` that keeps shape and dtype, and whose
            call takes an `index`.
        images: A symbolic `tf.Tensor`.
        numbers: Iterator over the indices for calls without `index`. Its
            `next` must be safe in parallel calls, as `itertools.count` is.
        *args: Other arguments of the call.
        index: Optional symbolic `tf.Tensor`.
        **kwargs: Other arguments of the call.

    Returns:
        A symbolic `tf.Tensor` of the shape and dtype of `images`.
    """
    import tensorflow as tf

    def call(images, *index):
        index = index[0] if index else next(numbers)
        # Values a little outside of the range are clipped, as they are in
        # datasets of TensorFlow. In an array they would be an error.
        images = ops.convert_to_tensor(images)
        output = layer(images, *args, index=index, **kwargs)
        return ops.convert_to_numpy(output)

    inputs = [images] if index is None else [images, index]
    output = tf.numpy_function(call, inputs, images.dtype)
    return tf.ensure_shape(output, images.shape)
