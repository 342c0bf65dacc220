import threading

import numpy as np
import pytest

from keras_fewlabels.data.sources import image_source
from keras_fewlabels.data.sources.read_ahead import ReadAhead

IMAGES = np.arange(20 * 4).reshape(20, 2, 2, 1).astype("uint8")


class Watched:
    """Images that tell what is read of them."""

    shape, dtype, ndim = IMAGES.shape, IMAGES.dtype, 4

    def __init__(self):
        self.started, self.lock = [], threading.Lock()
        self.has_begun = threading.Event()

    def __len__(self):
        return len(IMAGES)

    def __getitem__(self, key):
        assert self.lock.acquire(blocking=False), "read twice at once"
        try:
            if isinstance(key, slice):
                self.started.append(key.start)
                if key.start:
                    self.has_begun.set()
            if key == slice(12, 16):
                raise OSError("gone")
            return IMAGES[key]
        finally:
            self.lock.release()


@pytest.fixture
def images():
    return Watched()


@pytest.fixture
def source(images):
    source = image_source(images)
    images.started.clear()
    return source


def test_coming_images_are_read_before_they_are_asked_for(images, source):
    with ReadAhead(source) as reader:
        np.testing.assert_array_equal(reader.read(0, 4, (4, 4)), IMAGES[:4])
        assert images.has_begun.wait(60)
        np.testing.assert_array_equal(reader.read(4, 4), IMAGES[4:8])
    assert images.started == [0, 4]


def test_other_images_than_expected_are_read_after_those(images, source):
    with ReadAhead(source) as reader:
        reader.read(0, 4, (4, 4))
        np.testing.assert_array_equal(reader.read(8, 3), IMAGES[8:11])
        np.testing.assert_array_equal(reader.read(4, 2), IMAGES[4:6])
    assert images.started == [0, 4, 8, 4]


def test_an_error_belongs_to_the_images_that_cannot_be_read(images, source):
    with ReadAhead(source) as reader:
        reader.read(8, 4, (12, 4))
        assert images.has_begun.wait(60)
        with pytest.raises(OSError, match="gone"):
            reader.read(12, 4)


def test_nothing_is_read_after_the_end(images, source):
    with ReadAhead(source) as reader:
        reader.read(0, 4, (12, 4))
    num_reads = len(images.started)
    assert num_reads <= 2
    with pytest.raises(RuntimeError):
        reader.read(0, 4)
    assert len(images.started) == num_reads
