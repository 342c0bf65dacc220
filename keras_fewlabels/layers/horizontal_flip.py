import keras
from keras import ops

from keras_fewlabels.foundation import (
    build_at_init,
    check_choice,
    check_seed,
)
from keras_fewlabels.layers.replica_seed_generator import ReplicaSeedGenerator


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class HorizontalFlip(keras.layers.Layer):
    """Mirrors half of the images from left to right.

    `keras.layers.RandomFlip` draws the same flips on every replica of a
    `tf.distribute` strategy, and turns uint8 images into floats.

    Args:
        seed: Optional int that makes the draws reproducible. The state of the
            generator is saved with the model.
        data_format: `"channels_last"` or `"channels_first"`. Defaults to
            `keras.config.image_data_format()`.

    Call arguments:
        images: Tensor of any dtype, of shape `(batch, height, width,
            channels)` or `(height, width, channels)`, with channels in front
            of height for `"channels_first"`.
        training: Boolean. With `False` images pass through. Defaults to
            `True`, as in the preprocessing layers of Keras.

    Returns:
        A tensor of the shape and dtype of `images`.

    Example:

    >>> from keras_fewlabels.layers.horizontal_flip import HorizontalFlip
    >>> images = np.tile([[[[1], [2]]]], (9, 1, 1, 1)).astype("uint8")
    >>> views = keras.ops.convert_to_numpy(HorizontalFlip(seed=0)(images))
    >>> np.unique(views[:, 0, :, 0], axis=0)
    array([[1, 2],
           [2, 1]], dtype=uint8)
    """

    def __init__(self, seed=None, data_format=None, **kwargs):
        # Images keep their dtype under mixed precision.
        super().__init__(autocast=False, **kwargs)
        check_seed(seed)
        if data_format is None:
            data_format = keras.config.image_data_format()
        formats = ("channels_last", "channels_first")
        check_choice(data_format, "data_format", formats)
        self.seed = seed
        self.data_format = data_format
        self.seed_generator = ReplicaSeedGenerator(seed)
        build_at_init(self)

    def call(self, images, training=True):
        if not training:
            return images
        shape = (*ops.shape(images)[:-3], 1, 1, 1)
        draws = keras.random.uniform(
            shape, dtype="float32", seed=self.seed_generator
        )
        width = -2 if self.data_format == "channels_last" else -1
        return ops.where(draws < 0.5, ops.flip(images, axis=width), images)

    def compute_output_shape(self, input_shape):
        return input_shape

    def compute_output_spec(self, images, training=True):
        return keras.KerasTensor(images.shape, dtype=images.dtype)

    def save_own_variables(self, store):
        super().save_own_variables(store)
        store["seed"] = ops.convert_to_numpy(self.seed_generator.state)

    def load_own_variables(self, store):
        # Weights saved before this layer was put into the model have no seed.
        if "seed" in store.keys():  # noqa: SIM118
            self.seed_generator.state.assign(store["seed"])

    def get_config(self):
        return {
            **super().get_config(),
            "seed": self.seed,
            "data_format": self.data_format,
        }
