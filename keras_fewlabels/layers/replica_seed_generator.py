import keras


class ReplicaSeedGenerator(keras.random.SeedGenerator):
    """A seed generator whose draws differ between replicas.

    Under `tf.distribute` every replica holds a copy of a seed generator's
    state, and `keras.random.SeedGenerator` hands the same seed to all of them:
    two replicas drop the same branches and draw the same augmentations. This
    generator adds the replica's number, and draws as Keras does elsewhere.

    The state is one variable. Keras saves it neither with the layer nor with
    the model. A layer that continues its draws after loading stores `state`
    in its `save_own_variables`.

    Args:
        seed: Optional int that makes the draws reproducible.
        name: Optional string.

    Example:

    >>> first = ReplicaSeedGenerator(seed=3)
    >>> second = keras.random.SeedGenerator(seed=3)
    >>> a = keras.random.uniform((4,), seed=first)
    >>> b = keras.random.uniform((4,), seed=second)
    >>> print(bool(keras.ops.all(a == b)))
    True
    """

    def next(self, ordered=True):
        """Returns the next seed, an int tensor of shape `(2,)`."""
        seed = super().next(ordered=ordered)
        if keras.backend.backend() != "tensorflow":
            return seed
        import tensorflow as tf

        replica = tf.distribute.get_replica_context()
        if replica is None:  # No replica draws anything during building.
            return seed
        # Other layers are likely to use neighbouring seeds.
        offset = tf.cast(replica.replica_id_in_sync_group, seed.dtype) * 7919
        return seed + tf.stack([offset, tf.zeros_like(offset)])
