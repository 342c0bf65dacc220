"""The batch of all replicas together."""

import keras


def global_batch(tensor):
    """Gathers the batch of all replicas of a distributed step.

    Statistics of this batch are the same on every replica, and the same as
    those of one replica with the whole batch. Gradients flow back to the
    replica that each row came from.

    Args:
        tensor: Tensor of shape `(batch, ...)`, the part of this replica.

    Returns:
        Tensor of shape `(batch of all replicas, ...)` under a `tf.distribute`
        strategy, with rows in the order of the replicas. With a single
        replica, and on JAX and torch, `tensor` itself: `keras.distribution`
        shows every program the whole batch.
    """
    if keras.backend.backend() != "tensorflow":
        return tensor
    import tensorflow as tf

    replica = tf.distribute.get_replica_context()
    # It is None while a strategy builds variables, where no step runs.
    if replica is None or replica.num_replicas_in_sync == 1:
        return tensor
    gathered = replica.all_gather(tensor, axis=0)
    gathered.set_shape([None, *tensor.shape[1:]])  # Gathering forgets it.
    return gathered


def num_replicas():
    """Returns the number of replicas of the current `tf.distribute` strategy.

    Returns:
        Int. It is 1 on JAX and torch, where every program sees the whole
        batch.
    """
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync
