import dataclasses

import pytest

from keras_fewlabels.data.found_image import FoundImage


def test_equal_if_all_is():
    image = FoundImage("test", "a/b.png", "root/a/b.png", 0, (4, 5), b"1")
    assert image == dataclasses.replace(image)
    assert image != dataclasses.replace(image, pixels=b"2")
    with pytest.raises(dataclasses.FrozenInstanceError):
        image.label = 1
