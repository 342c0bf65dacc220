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
    findings, notes = unusual_sizes(images, (10, 20))
    assert notes == []
    assert [(each.kind, each.file, each.detail) for each in findings] == [
        ("enlarged", "4 x 8", "4 x 8"),
        ("another shape", "4 x 30", "4 x 30"),
        ("another shape", "9 x 9", "9 x 9"),
    ]


@pytest.mark.parametrize("size", [(200, 300), (224, 224), (224, 149)], ids=str)
def test_photographs_of_mixed_shapes_are_counted_not_named(size):
    shapes = [(300, 200), (200, 300), (300, 169), (225, 300)]
    images = [
        FoundImage("unlabeled", f"{number}.jpg", "", None, shape, b"")
        for number, shape in enumerate(shapes * 100)
    ]
    findings, notes = unusual_sizes(images, size)
    assert [each.kind for each in findings] == []
    assert len(notes) == 1
    assert "of 400 images in unlabeled have another shape" in notes[0]
    assert "`crop_to_aspect_ratio=True`" in notes[0]


def test_photographs_of_3_to_2_in_a_square_are_ordinary():
    images = [
        FoundImage("test", "1.jpg", "", 0, size, b"")
        for size in ((400, 600), (333, 500), (600, 400), (682, 1024))
    ]
    assert unusual_sizes(images, (224, 224)) == ([], [])
