"""Students that see their images smaller than they are."""

import keras


def shrink_images(model, share, image_shape):
    """Puts a layer that shrinks images in front of a model.

    Args:
        model: Keras model that takes images of any size.
        share: Float between 0 and 1, the height and width that is left.
        image_shape: Tuple `(height, width, channels)` of the images.

    Returns:
        A Keras model for images of that shape, with the weights of `model`,
        which it shares.
    """
    *sizes, _ = image_shape
    small = [max(1, round(share * size)) for size in sizes]
    images = keras.Input(image_shape)
    return keras.Model(
        images, model(keras.layers.Resizing(*small, antialias=True)(images))
    )


def check_any_size(model, images):
    """Refuses a model for images of one size only.

    Args:
        model: Built Keras model.
        images: Array of images.

    Raises:
        ValueError: If its input has a height and a width.
    """
    shape = tuple(model.input_shape)
    if shape[1:3] != (None, None):
        channels = images.shape[-1]
        raise ValueError(
            "The setting 'low_resolution' needs a model for images of any "
            f"size: build it with `keras.Input((None, None, {channels}))`, and "
            "pool its features over all positions instead of flattening them. "
            f"Received: a model of input shape {shape}"
        )
