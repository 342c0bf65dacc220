import pytest

from keras_fewlabels.data.folders.examine_folders import FoundImage
from keras_fewlabels.data.folders.image_size import (
    checked_image_size,
    common_image_size,
    unusual_sizes,
)


@pytest.mark.parametrize(
    "sizes, expected, why",
    [
        ([(64, 48)] * 10, (64, 48), "10 of 10 images are 64 x 48"),
        ([(64, 48)] * 9 + [(9, 9)], (64, 48), "9 of 10"),
        ([(300, 448)] * 2, (150, 224), "shrunk to at most 224 pixels"),
        ([(9000, 3)], (224, 1), "shrunk"),
        ([(60, 90)] * 8 + [(9, 9)] * 2, (60, 60), "shorter sides is 60"),
        ([(600, 900), (800, 500)], (224, 224), "is 500; at most 224"),
    ],
    ids=str,
)
def test_common_size(sizes, expected, why):
    size, reason = common_image_size(sizes)
    assert size == expected
    assert why in reason


def test_int_or_pair():
    assert checked_image_size(8) == (8, 8)
    assert checked_image_size([8, 9]) == (8, 9)
    for wrong in (0, "8", 8.0, (8,), (8, 8, 3), (8, 0), None, True):
        with pytest.raises(ValueError, match=r"`image_size` must.*Received"):
            checked_image_size(wrong)


def test_images_that_change_much_are_named():
    images = [
        FoundImage("test", f"{height} x {width}", "", 0, (height, width), b"")
        for height, width in (
            *((10, 20), (9, 25), (5, 10), (4, 8), (20, 40), (90, 120)),
            *((4, 30), (9, 9)),
        )
    ]
    findings = unusual_sizes(images, (10, 20))
    assert [(each.kind, each.file, each.detail) for each in findings] == [
        ("enlarged", "4 x 8", "4 x 8"),
        ("another shape", "4 x 30", "4 x 30"),
        ("another shape", "9 x 9", "9 x 9"),
    ]
