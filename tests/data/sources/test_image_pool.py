import keras
import numpy as np
import pytest

from keras_fewlabels.data.sources.image_pool import ImagePool, image_hash

IMAGES = np.arange(7 * 4, dtype="uint8").reshape(7, 2, 2, 1)


class Lazy:
    """Indexed like an array, and never to be read as a whole."""

    shape, dtype, ndim = IMAGES.shape, IMAGES.dtype, 4

    def __len__(self):
        return len(IMAGES)

    def __getitem__(self, key):
        found = IMAGES[key]
        assert found.size < IMAGES.size
        return found

    def __array__(self, dtype=None, copy=None):
        raise AssertionError("read as a whole")


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        return IMAGES[3 * index : 3 * index + 3]


def as_tf_data(batch_size=None):
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices(IMAGES)
    return dataset if batch_size is None else dataset.batch(batch_size)


KINDS = {
    "array": lambda: IMAGES,
    "tensor": lambda: keras.ops.convert_to_tensor(IMAGES),
    "lazy": Lazy,
    "PyDataset": Batches,
    "tf.data": as_tf_data,
    "tf.data in batches": lambda: as_tf_data(3),
}


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_are_all_images_in_order(kind):
    pool = ImagePool(KINDS[kind]())
    pieces = list(pool.pieces(4))
    assert [len(piece) for piece in pieces] == [4, 3]
    np.testing.assert_array_equal(np.concatenate(pieces), IMAGES)
    assert len(pool) == 7


@pytest.mark.parametrize("kind", KINDS)
def test_take_keeps_the_order_asked_for(kind):
    taken = ImagePool(KINDS[kind]()).take([5, 0, 5, 2])
    np.testing.assert_array_equal(taken, IMAGES[[5, 0, 5, 2]])


def test_paths_are_those_given_or_known():
    files = Lazy()
    assert ImagePool(files).paths is None
    files.file_paths = list("abcdefg")
    assert ImagePool(files).paths == list("abcdefg")
    assert ImagePool(files, paths=list("ABCDEFG")).paths == list("ABCDEFG")


def test_hash_depends_on_values_shape_and_type():
    image = IMAGES[1]
    others = [IMAGES[2], image.reshape(1, 4, 1), image.astype("int8")]
    hashes = {image_hash(each) for each in (image, *others)}
    assert len(hashes) == 4
    # Not on how it lies in memory.
    mirrored = np.ascontiguousarray(image[:, ::-1])
    assert image_hash(mirrored[:, ::-1]) == image_hash(image)
    assert len(image_hash(image)) == 16


@pytest.mark.parametrize(
    "images, options, message",
    [
        (IMAGES[..., 0], {}, r"`pool` must have shape \(num_images"),
        (IMAGES[:0], {}, "at least one image"),
        ("folder", {}, "must be images, not where they are"),
        (IMAGES, {"paths": ["a"]}, "1 paths for 7 images"),
    ],
)
def test_wrong_images(images, options, message):
    with pytest.raises(ValueError, match=message):
        ImagePool(images, "pool", **options)
