"""The batch of all replicas together."""

import keras


def global_batch(tensor):
    """Puts together what the replicas of a distributed step hold.

    Statistics of this batch are the same on every replica, and the same as
    those of one replica with the whole batch. Gradients flow back to the
    replica that each row came from.

    Args:
        tensor: Tensor of shape `(batch, ...)`, the part of this replica.

    Returns:
        Tensor of shape `(batch of all replicas, ...)`, rows in the order of
        the replicas, under a `tf.distribute` strategy. `tensor` itself where
        there is one replica, and on JAX and torch: `keras.distribution`
        shows every program the whole batch as it is.
    """
    if keras.backend.backend() != "tensorflow":
        return tensor
    import tensorflow as tf

    replica = tf.distribute.get_replica_context()
    # None while a strategy builds variables, where no step runs.
    if replica is None or replica.num_replicas_in_sync == 1:
        return tensor
    gathered = replica.all_gather(tensor, axis=0)
    gathered.set_shape([None, *tensor.shape[1:]])  # which gathering forgets
    return gathered


def num_replicas():
    """How many replicas of a `tf.distribute` strategy train together.

    Returns:
        Int; 1 on JAX and torch, where every program sees the whole batch.
    """
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync
