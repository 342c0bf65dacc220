import numpy as np
import pytest

from keras_fewlabels.data.folders import ImageFiles
from keras_fewlabels.data.sources.unlabeled_array import (
    UnlabeledArray,
    UnlabeledFiles,
)

IMAGES = np.arange(7, dtype="float32").reshape(-1, 1, 1, 1)


def test_pieces_in_order():
    source = UnlabeledArray(IMAGES)
    pieces = list(source.pieces(3, 3))
    assert [(first, size) for first, size, _ in pieces] == [
        (0, 3),
        (3, 3),
        (6, 1),
    ]
    np.testing.assert_array_equal(
        np.concatenate([images for _, _, images in pieces]), IMAGES
    )
    assert (len(source), source.image_shape) == (7, (1, 1, 1))
    assert source.sample(2).tolist() == IMAGES[:2].tolist()


def test_memory_mapped_files_are_not_read_into_memory(tmp_path):
    np.save(tmp_path / "images.npy", IMAGES)
    images = np.load(tmp_path / "images.npy", mmap_mode="r")
    source = UnlabeledArray(images)
    for _, _, piece in source.pieces(3, 3):
        assert np.shares_memory(piece, images)


def test_checksum_tells_other_images():
    assert (
        UnlabeledArray(IMAGES).checksum()
        == UnlabeledArray(IMAGES.copy()).checksum()
    )
    assert (
        UnlabeledArray(IMAGES).checksum()
        != UnlabeledArray(IMAGES[::-1]).checksum()
    )


def test_errors():
    with pytest.raises(ValueError, match="`unlabeled` must hold finite"):
        UnlabeledArray(IMAGES * np.nan)


def test_pieces_and_sample_are_those_of_the_array(save):
    files = ImageFiles([save(f"{number}.png") for number in range(7)], 4)
    source, array = UnlabeledFiles(files), UnlabeledArray(np.asarray(files))
    for (*place, batches), (*expected, images) in zip(
        source.pieces(4, 2), array.pieces(4, 2), strict=True
    ):
        assert place == expected
        # Not a piece in memory, but a batch.
        assert [len(batch) for batch in batches] == [2] * (len(images) // 2) + (
            [1] if len(images) % 2 else []
        )
        np.testing.assert_array_equal(np.concatenate(list(batches)), images)
    np.testing.assert_array_equal(source.sample(3), array.sample(3))
    assert source.checksum() == array.checksum()
    assert (len(source), source.image_shape, source.dtype) == (
        7,
        (4, 4, 3),
        "uint8",
    )
