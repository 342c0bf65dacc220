import numpy as np
import pytest
from matplotlib import colors

from keras_fewlabels.plots import predictions

IMAGES = np.arange(3 * 4 * 4 * 3).reshape(3, 4, 4, 3).astype("uint8")
NAMES = ["cat", "dog", "cow"]


def captions_of(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_right_and_wrong_ones_differ_in_text_colour_and_frame():
    figure = predictions(IMAGES, [0, 1, 2], [0, 2, 2], NAMES)
    assert captions_of(figure) == [
        "cat\nright: cat",
        "dog\nwrong: cow",
        "cow\nright: cow",
    ]
    (axes,) = figure.axes
    right, wrong, other = (text.get_color() for text in axes.texts)
    assert right == other != wrong
    (frame,) = axes.lines
    assert colors.to_rgba(frame.get_color()) == colors.to_rgba(wrong)
    left, right, lower, upper = axes.images[1].get_extent()
    assert (min(frame.get_xdata()), max(frame.get_xdata())) == (left, right)
    assert (min(frame.get_ydata()), max(frame.get_ydata())) == (upper, lower)


def test_probabilities_one_hot_and_columns_of_labels():
    probabilities = np.array([[0.1, 0.7, 0.2], [0.5, 0.2, 0.3], [0, 0, 1]])
    figure = predictions(IMAGES, np.eye(3), probabilities)
    assert captions_of(figure) == [
        "0\nwrong: 1, 70 %",
        "1\nwrong: 0, 50 %",
        "2\nright: 2, 100 %",
    ]
    figure = predictions(IMAGES, [[0], [1], [2]], np.array([0, 1, 2.0]))
    assert captions_of(figure)[1] == "1\nright: 1"


def test_images_keep_their_order_in_an_incomplete_last_row(tmp_path):
    figure = predictions(IMAGES, [0, 1, 2], [0, 1, 2], num_columns=2)
    images = figure.axes[0].images
    drawn = [image.get_array() for image in images]
    np.testing.assert_allclose(255 * np.stack(drawn), IMAGES, atol=1e-3)
    boxes = [image.get_extent() for image in images]
    assert boxes[0][0] == boxes[2][0] < boxes[1][0]
    assert boxes[0][2] == boxes[1][2] < boxes[2][2]
    figure.savefig(tmp_path / "grid.png")
    assert (tmp_path / "grid.png").read_bytes()[1:4] == b"PNG"


def test_floats_are_drawn_in_their_value_range():
    images = np.full((1, 2, 2, 1), -0.5)
    figure = predictions(images, [0], [0], value_range=(-1, 1))
    np.testing.assert_allclose(figure.axes[0].images[0].get_array(), 0.25)


WRONG = [
    ((IMAGES[0], [0], [0]), {}, r"`images\[None\]`.*shape=\(4, 4, 3\)"),
    ((IMAGES[:0], [], []), {}, r"at least one image.*shape=\(0, 4, 4, 3\)"),
    ((IMAGES * 9.0, [0, 1, 2], [0, 1, 2]), {}, r"`value_range=\(black, white"),
    ((IMAGES, [0, 1], [0, 1, 2]), {}, r"`true` must be 3 labels.*=\(2,\)"),
    ((IMAGES, [0, 1, 2], np.ones((2, 3))), {}, r"`predicted`.*shape=\(2, 3\)"),
    ((IMAGES, [0, 1, 2], [0, 0.5, 2]), {}, r"whole numbers from 0.*predicted="),
    ((IMAGES, [0, -1, 2], [0, 1, 2]), {}, r"whole numbers from 0.*true="),
    (
        (IMAGES, [0, 1, 2], [0, 1, 1]),
        {"class_names": ["cat", "dog"]},
        r"there is a class 2.*class_names=\['cat', 'dog'\]",
    ),
]


@pytest.mark.parametrize("arguments, kwargs, message", WRONG)
def test_wrong_arguments(arguments, kwargs, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        predictions(*arguments, **kwargs)
