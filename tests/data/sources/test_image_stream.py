import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_fewlabels.data.sources.image_source import image_source

IMAGES = np.random.default_rng(0).integers(0, 255, (150, 3, 2, 1), "uint8")


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


class Infinite(Batches):
    num_batches = None


class WithLabels(Batches):
    def __getitem__(self, index):
        return super().__getitem__(index), np.zeros(4)


def as_tf_data(batch_size=None, images=IMAGES):
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices(images)
    return dataset if batch_size is None else dataset.batch(batch_size)


def test_checksum_of_a_dataset_of_files_reads_no_image(tmp_path):
    paths = [tmp_path / f"{number}" for number in range(len(IMAGES))]
    for path in paths:
        path.write_bytes(b"an image")
    images = Batches()
    images.file_paths = paths
    source = image_source(images)
    before, num_read = source.checksum(), images.num_read
    assert source.checksum() == before
    assert images.num_read == num_read
    paths[99].write_bytes(b"another image")
    assert source.checksum() != before


def test_as_little_is_read_as_needed():
    images = Batches()
    source = image_source(images)
    assert images.num_read == 2 * 16  # 64 images, twice.
    assert source.shape == (3, 2, 1)
    source.first(3)
    source.take([4, 63])
    assert images.num_read == 4 * 16
    assert len(source) == 150
    assert images.num_read == 4 * 16 + 38
    source.checksum()
    assert len(source) == 150
    assert images.num_read == 4 * 16 + 38
    # A pass, however small the pieces.
    list(source.pieces(4))
    assert images.num_read == 4 * 16 + 2 * 38


@pytest.mark.parametrize("place", [0, 64, 149])
def test_another_order_is_refused_in_the_pass_in_which_it_shows(place):
    dataset = Batches(IMAGES.copy())
    source = image_source(dataset)
    list(source.pieces(50))
    dataset.images[place] += 1
    first = place // 64 * 64
    expected = f"same order in every pass.*from place {first} on"
    with pytest.raises(ValueError, match=expected):
        list(source.pieces(50))


def test_another_order_is_refused_at_once():
    with pytest.raises(ValueError, match=r"`x` must come in the same order"):
        image_source(as_tf_data().shuffle(150), "x")


@pytest.mark.parametrize("num_images", [100, 150 + 64])
def test_another_number_of_images_is_refused(num_images):
    dataset = Batches()
    source = image_source(dataset)
    assert len(source) == 150
    dataset.images = np.concatenate([IMAGES[:128], IMAGES[:86]])[:num_images]
    with pytest.raises(ValueError, match="same"):
        list(source.pieces(50))


def test_an_image_that_is_not_finite_is_named():
    broken = IMAGES.astype("float32")
    broken[77] = np.nan
    source = image_source(Batches(broken), "x")
    with pytest.raises(ValueError, match=r"`x` must hold finite.*\[77\]"):
        list(source.pieces(50))


ERRORS = {
    "infinite": (Infinite(), r"`x` must end.*Remove `.repeat\(\)`, or give"),
    "labels": (
        WithLabels(),
        r"`x` must be a dataset of images alone.*uint8 \(",
    ),
    "empty stream": (Batches(IMAGES[:0]), "at least one image"),
    "nan stream": (Batches(IMAGES * np.nan), "`x` must hold finite"),
    "rank of stream": (Batches(IMAGES[..., 0]), r"`x` must have shape"),
    "no images": (Batches(np.zeros(9)), r"of shape \(height, width"),
}


@pytest.mark.parametrize("case", ERRORS.values(), ids=ERRORS)
def test_wrong_py_datasets(case):
    images, expected = case
    with pytest.raises(ValueError, match=expected):
        image_source(images, "x")


TF_ERRORS = {
    "infinite": (lambda: as_tf_data().repeat(), r"`x` must end"),
    "empty": (lambda: as_tf_data().take(0), "at least one image"),
    "labels": (lambda: as_tf_data(images=(IMAGES, IMAGES)), "images alone"),
    "nan": (lambda: as_tf_data(images=IMAGES * np.nan), "finite"),
    "rank": (lambda: as_tf_data(images=IMAGES[..., 0]), r"shape \(height"),
}


@pytest.mark.parametrize("case", TF_ERRORS.values(), ids=TF_ERRORS)
def test_wrong_tf_data(case):
    make, expected = case
    with pytest.raises(ValueError, match=expected):
        image_source(make(), "x")


# On TensorFlow, Keras imports it itself.
@pytest.mark.not_tensorflow
def test_a_py_dataset_needs_no_tensorflow():
    code = (
        "import sys; import numpy as np; import keras;"
        "from keras_fewlabels.data.sources.image_source import image_source\n"
        "class Batches(keras.utils.PyDataset):\n"
        "    __len__ = lambda self: 2\n"
        "    __getitem__ = lambda self, index: np.zeros((4, 2, 2, 1))\n"
        "before = set(sys.modules)\n"
        "source = image_source(Batches())\n"
        "list(source.pieces(3)), source.checksum(), source.take([7])\n"
        "print('tensorflow' in set(sys.modules) - before)"
    )
    output = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": keras.backend.backend()},
    ).stdout
    assert output.strip() == "False"


@pytest.mark.tensorflow
def test_a_folder_as_keras_shuffles_it_is_refused_with_a_hint(tmp_path):
    for number, image in enumerate(IMAGES[:9]):
        keras.utils.save_img(tmp_path / f"{number}.png", image, scale=False)
    folder = keras.utils.image_dataset_from_directory(
        tmp_path, labels=None, image_size=(3, 2), verbose=False
    )
    with pytest.raises(ValueError, match=r"`shuffle=False`.*_from_directory"):
        image_source(folder)
