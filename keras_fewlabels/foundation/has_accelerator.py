import keras


def has_accelerator():
    """Returns whether Keras computes on a GPU or TPU, on any backend."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return jax.default_backend() != "cpu"
    if backend == "tensorflow":
        import tensorflow as tf

        kinds = map(tf.config.list_logical_devices, ("GPU", "TPU"))
        return any(kinds)
    # Torch has a default device of Keras's, also one that the user chose.
    device = getattr(keras.ops.zeros(()), "device", None)
    return getattr(device, "type", "cpu") not in ("cpu", "meta")
