import itertools

import numpy as np
import pytest

from keras_fewlabels.plots import contact_sheet

IMAGES = np.arange(5, dtype="uint8").reshape(5, 1, 1, 1) * np.full(
    (1, 4, 8, 3), 51, "uint8"
)


def test_images_stand_in_rows_with_their_captions_below():
    figure = contact_sheet(IMAGES, list("abcde"), num_columns=2)
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == list("abcde")
    places = []
    for drawn, text in zip(axes.images, axes.texts, strict=True):
        left, right, lower, upper = drawn.get_extent()
        assert right - left == pytest.approx(2 * (lower - upper))
        # Below in a system that counts from the top.
        assert text.get_position()[0] == left
        assert text.get_position()[1] > lower
        places.append((round(upper, 3), round(left, 3)))
    assert places == sorted(places)
    assert len({row for row, _ in places}) == 3
    levels = [drawn.get_array()[0, 0, 0] for drawn in axes.images]
    np.testing.assert_allclose(levels, np.arange(5) * 0.2, atol=1e-6)


def test_all_texts_are_inside_the_figure():
    captions = ["image 1,234\nsays 3, 99 %\nneighbours: 8"] * 5
    figure = contact_sheet(IMAGES, captions, title="long " * 30)
    figure.draw_without_rendering()
    box = figure.bbox
    for text in figure.axes[0].texts:
        extent = text.get_window_extent()
        assert extent.x1 <= box.x1 and extent.y0 >= 0 and extent.y1 <= box.y1
    # No caption reaches into the next image.
    edges = [text.get_window_extent() for text in figure.axes[0].texts[:5]]
    for one, other in itertools.pairwise(edges):
        assert one.x1 < other.x0


def test_floats_are_drawn_in_the_narrowest_range_that_holds_them():
    images = np.array([-0.5, 0, 1]).reshape(3, 1, 1, 1)
    figure = contact_sheet(images, list("abc"))
    levels = [image.get_array()[0, 0, 0] for image in figure.axes[0].images]
    assert levels == [0.25, 0.5, 1]


def test_value_range():
    images = np.array([-1, 0, 3.0]).reshape(3, 1, 1, 1)
    figure = contact_sheet(images, list("abc"), value_range=(-1, 1))
    levels = [image.get_array()[0, 0, 0] for image in figure.axes[0].images]
    assert levels == [0, 0.5, 1]


@pytest.mark.parametrize(
    "images, captions, options, message",
    [
        (IMAGES, ["a"], {}, "1 captions for 5 images"),
        (IMAGES, "abcde", {}, "one string per image"),
        (IMAGES[0], ["a"], {}, r"shape=\(4, 8, 3\)"),
        (IMAGES[:0], [], {}, "1 to 1,000 images"),
        (IMAGES * 99.0, list("abcde"), {}, r"`value_range=\(black, white\)`"),
        (IMAGES, list("abcde"), {"value_range": (1, 0)}, "lower one first"),
        (IMAGES, list("abcde"), {"num_columns": 0}, "`num_columns` must"),
    ],
)
def test_wrong_arguments(images, captions, options, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        contact_sheet(images, captions, **options)
