import keras
import numpy as np
import pytest

from keras_fewlabels.layers import RandAugment
from keras_fewlabels.layers.rand_augment.checks import check_output

ARGUMENTS = [
    ({"num_ops": -1}, r"`num_ops` must be an int, 0 or more.*num_ops=-1"),
    ({"num_ops": 1.5}, r"`num_ops` must be an int, 0 or more.*num_ops=1.5"),
    ({"magnitude": -1}, r"`magnitude` must be a number, 0 or more.*=-1"),
    ({"interpolation": "cubic"}, r"`interpolation` must be.*='cubic'"),
    ({"ops": ["rotat"]}, r"names out of identity, .*cutout.*\['rotat'\]"),
    (
        {"ops": "rotate"},
        r"at least one name or layer.*ops='rotate'",
    ),
    ({"ops": []}, r"at least one name or layer.*ops=\[\]"),
    ({"ops": [7]}, r"Keras layers, or names out of .*unknown: \[7\]"),
    (
        {"table": "paper"},
        r"'randaugment', 'noisy_student' or .*'paper'",
    ),
    ({"magnitude_std": -1}, r"`magnitude_std` must be a number.*=-1"),
    ({"apply_probability": 1.5}, r"must be a number in \[0, 1\].*=1.5"),
    ({"seed": -1}, r"`seed` must be an int, 0 or more.*seed=-1"),
    ({"value_range": (1, 0)}, r"lower one first.*value_range=\(1, 0\)"),
    ({"fill_value": 300}, r"`fill_value` must be in .*fill_value=300"),
]


@pytest.mark.parametrize("kwargs, message", ARGUMENTS)
def test_wrong_argument(kwargs, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        RandAugment(**kwargs)


IMAGES = [
    (np.zeros((8, 8), "uint8"), r"1 or 3 channels.*shape=\(8, 8\)"),
    (np.zeros((2, 8, 8, 4), "uint8"), r"1 or 3 channels.*\(2, 8, 8, 4\)"),
    (np.zeros((8, 8, 3), "int32"), "uint8 or of floats.*dtype=int32"),
    (np.full((8, 8, 3), np.nan, "float32"), "finite images.*from nan"),
    (np.full((8, 8, 3), np.inf, "float32"), "finite images.*to inf"),
    (np.full((8, 8, 3), 256.0), r"images in `value_range`.*to 256.0"),
    (np.full((8, 8, 3), -1.0), r"images in `value_range`.*from -1.0"),
]


@pytest.mark.parametrize("images, message", IMAGES)
def test_wrong_images(images, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        RandAugment()(images)


def test_uint8_images_of_another_range():
    with pytest.raises(ValueError, match=r"(?s)values in 0..255.*dtype=uint8"):
        RandAugment(value_range=(0, 1))(np.zeros((1, 8, 8, 3), "uint8"))


@pytest.mark.tensorflow
def test_ragged_images_and_unknown_rank():
    import tensorflow as tf

    ragged = tf.ragged.stack([np.zeros((4, 4, 3)), np.zeros((5, 5, 3))])
    with pytest.raises(ValueError, match=r"(?s)not a ragged.*Received: shape"):
        RandAugment()(ragged)
    unknown = tf.TensorSpec(None, "uint8")
    with pytest.raises(ValueError, match=r"(?s)`tf.ensure_shape`.*Received"):
        tf.function(RandAugment()).get_concrete_function(unknown)


DICTS = [
    ({"pixels": 1}, r"Rename the entry.*keys=\['pixels'\]"),
    ({"images": 1, "bounding_boxes": 2}, r"not the marks on.*bounding_boxes"),
    ({"images": 1, "segmentation_masks": 2}, r"marks.*segmentation_masks"),
]


@pytest.mark.parametrize("inputs, message", DICTS)
def test_wrong_dict(inputs, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        RandAugment()(inputs)


@pytest.mark.parametrize("shape", [(2, 6, 6, 3), (2, 8, 8, 1), (2, 8, 8)])
def test_layer_that_changes_the_shape(shape):
    message = r"(?s)must keep the shape.*Received: crop made .* of \(2, 8, 8, 3"
    with pytest.raises(ValueError, match=message):
        check_output(
            keras.layers.Identity(name="crop"),
            np.zeros((2, 8, 8, 3)),
            np.zeros(shape),
        )


def test_layer_that_crops_is_refused_in_use():
    layer = RandAugment(ops=["rotate", keras.layers.CenterCrop(4, 4)])
    with pytest.raises(ValueError, match="must keep the shape"):
        layer(np.zeros((2, 8, 8, 3), "uint8"))
