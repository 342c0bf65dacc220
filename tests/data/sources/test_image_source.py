import os
import pathlib

import keras
import numpy as np
import pytest

from keras_fewlabels.data import ImageFiles
from keras_fewlabels.data.sources.image_source import image_source
from keras_fewlabels.data.sources.image_stream import ImageStream

IMAGES = np.random.default_rng(0).integers(0, 255, (150, 3, 2, 1), "uint8")


class Lazy:
    """Is indexed like an array, and must not be turned into one."""

    shape, dtype, ndim = IMAGES.shape, IMAGES.dtype, 4

    def __len__(self):
        return len(IMAGES)

    def __getitem__(self, key):
        return IMAGES[key]

    def __array__(self, dtype=None, copy=None):
        raise AssertionError("read as a whole")


class Batches(keras.utils.PyDataset):
    """Counts what is read of it."""

    def __init__(self, images=IMAGES, batch_size=4):
        super().__init__()
        self.images, self.batch_size = images, batch_size
        self.num_read = 0

    def __len__(self):
        return -(-len(self.images) // self.batch_size)

    def __getitem__(self, index):
        self.num_read += 1
        first = index * self.batch_size
        return self.images[first : first + self.batch_size]


def as_tf_data(batch_size=None, images=IMAGES):
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices(images)
    return dataset if batch_size is None else dataset.batch(batch_size)


KINDS = {
    "array": lambda: IMAGES,
    "tensor": lambda: keras.ops.convert_to_tensor(IMAGES),
    "lazy": Lazy,
    "PyDataset": Batches,
    "large batches": lambda: Batches(batch_size=100),
    "tf.data": as_tf_data,
    "tf.data in batches": lambda: as_tf_data(7),
    "tf.data of files": lambda: as_tf_data(7),
}


@pytest.fixture(params=KINDS)
def source(request):
    images = KINDS[request.param]()
    if request.param == "tf.data of files":
        images.file_paths = [f"{number}.png" for number in range(len(IMAGES))]
    return image_source(images)


def test_length_shape_and_dtype(source):
    assert len(source) == 150
    assert source.shape == (3, 2, 1)
    assert source.dtype == "uint8"


@pytest.mark.parametrize("count", [1, 64, 150, 1000])
def test_numbers_of_some_images(source, count):
    numbers = source.draw(count, seed=3)
    assert len(set(numbers)) == len(numbers) == min(count, 150)
    np.testing.assert_array_equal(numbers, np.sort(numbers))
    assert numbers[0] >= 0 and numbers[-1] < 150
    if count == 64:
        first = isinstance(source, ImageStream)
        assert (numbers[-1] == 63) == first
        assert np.array_equal(numbers, source.draw(count, seed=4)) == first


@pytest.mark.parametrize("size", [1, 40, 64, 149, 150, 1000])
def test_pieces_are_all_images_in_order(source, size):
    for _ in range(2):
        pieces = list(source.pieces(size))
        assert {len(piece) for piece in pieces[:-1]} <= {size}
        np.testing.assert_array_equal(np.concatenate(pieces), IMAGES)


# Images of 6 bytes, in batches of 7.
@pytest.mark.parametrize(
    "most_bytes, size", [(1, 7), (100, 14), (900, 147), (10**6, 150)]
)
def test_pieces_to_predict_are_whole_batches(
    source, most_bytes, size, monkeypatch
):
    monkeypatch.setitem(image_source.__globals__, "_MOST_BYTES", most_bytes)
    for _ in range(2):
        pieces = list(source.pieces_to_predict(7))
        assert {len(piece) for piece in pieces[:-1]} <= {size}
        np.testing.assert_array_equal(np.concatenate(pieces), IMAGES)


def test_first(source):
    for count in (1, 64, 65, 150):
        images = source.first(count)
        np.testing.assert_array_equal(images, IMAGES[:count])
    assert len(source.first(1000)) == 150


@pytest.mark.parametrize("indices", [[5, 0, 5, 2], [149], range(60, 70)])
def test_take_keeps_the_order_asked_for(source, indices):
    indices = np.array(indices)
    np.testing.assert_array_equal(source.take(indices), IMAGES[indices])


def test_read_goes_forward_and_back(source):
    for start, count in ((10, 60), (70, 1), (140, 100), (3, 5), (3, 5)):
        expected = IMAGES[start : start + count]
        np.testing.assert_array_equal(source.read(start, count), expected)


def test_checksum_is_the_same_after_every_pass(source):
    first = source.checksum()
    assert source.checksum() == first
    list(source.pieces(50))
    assert source.checksum() == first


@pytest.mark.parametrize("index", [0, 1, 77, 149])
@pytest.mark.parametrize("kind", ["array", "PyDataset", "tf.data"])
def test_checksum_sees_one_other_pixel(kind, index):
    def source_of(images):
        if kind == "tf.data":
            return image_source(as_tf_data(images=images))
        return image_source(Batches(images) if kind != "array" else images)

    images = IMAGES.copy()
    before = source_of(images).checksum()
    images[index, 1, 1] += 1
    assert source_of(images).checksum() != before


def test_checksum_sees_order_shape_and_dtype():
    others = [
        IMAGES,
        IMAGES[::-1],
        IMAGES[:-1],
        IMAGES.reshape(150, 2, 3, 1),
        IMAGES.view("int8"),
    ]
    assert len({image_source(images).checksum() for images in others}) == 5
    # Not the place in memory.
    transposed = np.ascontiguousarray(IMAGES.T).T
    expected = image_source(IMAGES).checksum()
    assert image_source(transposed).checksum() == expected


def test_checksum_of_memory_mapped_images(tmp_path):
    images = np.zeros((1000, 4, 4, 3), "uint8")
    path = tmp_path / "images.npy"
    np.save(path, images)
    source = image_source(np.load(path, mmap_mode="r"))
    assert np.shares_memory(source.read(3, 5), source.images)
    assert source.checksum() == image_source(images).checksum()
    images[777, 0, 0, 0] = 1
    np.save(path, images)
    other = image_source(np.load(path, mmap_mode="r"))
    assert other.checksum() != image_source(images * 0).checksum()


def test_checksum_sees_one_replaced_file_of_1000(tmp_path):
    paths = [tmp_path / f"{number}.bmp" for number in range(1000)]
    for path in paths:
        keras.utils.save_img(path, np.zeros((2, 2, 3)), scale=False)

    def checksum():
        return image_source(ImageFiles(paths, 2)).checksum()

    before = checksum()
    assert checksum() == before
    size = os.path.getsize(paths[501])
    keras.utils.save_img(paths[501], np.full((2, 2, 3), 9), scale=False)
    assert os.path.getsize(paths[501]) == size
    assert checksum() != before
    replaced = checksum()
    assert image_source(ImageFiles(paths, 4)).checksum() != replaced
    gray = ImageFiles(paths, 2, color_mode="grayscale")
    assert image_source(gray).checksum() != replaced


def test_paths_are_those_given_or_known():
    images = Lazy()
    assert image_source(images).paths is None
    images.file_paths = [f"{number}.png" for number in range(150)]
    assert image_source(images).paths == images.file_paths
    paths = [pathlib.Path(f"{number}.jpg") for number in range(150)]
    assert image_source(images, paths=paths).paths[3] == "3.jpg"


@pytest.mark.parametrize("images", [IMAGES, Batches()], ids=["array", "stream"])
def test_a_path_for_each_image(images):
    with pytest.raises(ValueError, match=r"one path.*1 paths for 150 images"):
        len(image_source(images, paths=["a"]))


def test_an_error_of_reading_ahead_comes_with_its_piece(monkeypatch):
    class Broken(Lazy):
        def __getitem__(self, key):
            if isinstance(key, slice) and key.start == 14:
                raise OSError("gone")
            return super().__getitem__(key)

    monkeypatch.setitem(image_source.__globals__, "_MOST_BYTES", 42)
    pieces = image_source(Broken()).pieces_to_predict(7)
    assert len(next(pieces)) == len(next(pieces)) == 7
    with pytest.raises(OSError, match="gone"):
        next(pieces)


def test_a_piece_is_not_more_in_memory_than_asked_for():
    class Files(Lazy):
        largest = 0

        def __getitem__(self, key):
            found = super().__getitem__(key)
            Files.largest = max(Files.largest, len(found))
            return found

    source = image_source(Files())
    list(source.pieces(20))
    assert Files.largest == 20


ERRORS = {
    "path": ("images", r"`x` must be images, not where.*load_image_folders"),
    "folder": (pathlib.Path("images"), "load_image_folders"),
    "pair": ((IMAGES, IMAGES), r"`x` must be images alone.*`truth`.*tuple"),
    "list": ([IMAGES, IMAGES], r"images alone.*x of type list"),
    "rank": (IMAGES[..., 0], r"`x` must have shape \(num_images"),
    "empty": (IMAGES[:0], "at least one image"),
    "nan": (IMAGES * np.nan, "`x` must hold finite"),
}


@pytest.mark.parametrize("case", ERRORS.values(), ids=ERRORS)
def test_wrong_images(case):
    images, expected = case
    with pytest.raises(ValueError, match=expected):
        image_source(images, "x")
