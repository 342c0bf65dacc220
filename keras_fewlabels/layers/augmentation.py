import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class Augmentation(keras.layers.Layer):
    """Applies layers that augment images, one after the other.

    `keras.Sequential` turns uint8 images into floats before its first layer.
    `RandAugment` then has to find out whether these are in its value range,
    for which a compiled step on JAX calls the host. Of uint8 images it knows
    the range.

    Args:
        layers: List of layers that keep the shape and dtype of images.

    Call arguments:
        images: A uint8 or float tensor of shape `(batch, height, width,
            channels)`.
        training: Boolean. With `False` images are not augmented. Defaults to
            `True`, as in the preprocessing layers of Keras.

    Returns:
        A float tensor of the shape of `images`, in the compute dtype, as
        `keras.Sequential` returns.

    Example:

    >>> from keras_fewlabels.layers.augmentation import Augmentation
    >>> invert = keras_fewlabels.layers.RandAugment(1, ops=["invert"])
    >>> images = np.full((1, 1, 2, 1), 55, "uint8")
    >>> views = Augmentation([invert])(images)
    >>> keras.ops.convert_to_numpy(views).ravel()
    array([200., 200.], dtype=float32)
    """

    def __init__(self, layers, **kwargs):
        # The layers get images in their own dtype.
        super().__init__(autocast=False, **kwargs)
        self.layers = list(layers)

    def build(self, input_shape):
        for layer in self.layers:
            if not layer.built:
                layer.build(input_shape)

    def call(self, images, training=True):
        for layer in self.layers:
            images = layer(images, training=training)
        return ops.cast(images, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def compute_output_spec(self, images, training=True):
        return keras.KerasTensor(images.shape, dtype=self.compute_dtype)

    def get_config(self):
        layers = keras.saving.serialize_keras_object(self.layers)
        return {**super().get_config(), "layers": layers}

    @classmethod
    def from_config(cls, config):
        layers = keras.saving.deserialize_keras_object(config["layers"])
        return cls(**{**config, "layers": layers})
