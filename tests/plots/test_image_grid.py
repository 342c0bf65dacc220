import numpy as np
import pytest
from matplotlib import colors

from keras_fewlabels.plots.image_grid import image_grid, in_rows


def drawn(figure):
    return [image.get_array() for image in figure.axes[0].images]


def boxes(figure):
    """The left, right, lower and upper edge of each image, in inches."""
    return [image.get_extent() for image in figure.axes[0].images]


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


@pytest.mark.parametrize(
    "value_range, dtype", [((0, 255), "uint8"), ((0, 1), "float32"),
                           ((-1, 1), "float64"), ((-3, 5), "float16")]
)  # fmt: skip
def test_shades_are_those_of_the_value_range(value_range, dtype):
    low, high = value_range
    shades = np.array([0, 0.2, 0.6, 1]).reshape(1, 1, 2, 2, 1)
    images = (low + (high - low) * shades).astype(dtype)
    (array,) = drawn(image_grid(images, value_range))
    # Grey is drawn as three equal colours: a colour map would be green.
    np.testing.assert_allclose(
        array, np.repeat(shades[0, 0], 3, axis=-1), atol=1e-3
    )


def test_values_beyond_the_range_are_black_or_white():
    images = np.array([-0.5, 1.5]).reshape(1, 1, 1, 2, 1)
    (array,) = drawn(image_grid(images, (0, 1)))
    np.testing.assert_array_equal(array[0, :, 0], [0, 1])


def test_rows_columns_and_titles_are_in_place():
    images = np.arange(6).reshape(2, 3, 1, 1, 1) / 5
    figure = image_grid(
        images,
        (0, 1),
        row_titles=["cat", "dog"],
        column_titles=["a", "b", "c"],
        title="all",
    )
    levels = [array[0, 0, 0] for array in drawn(figure)]
    np.testing.assert_allclose(levels, np.arange(6) / 5)
    assert texts(figure) == ["cat", "dog", "a", "b", "c", "all"]
    places = [text.get_position() for text in figure.axes[0].texts]
    edges = boxes(figure)
    for (x, y), (left, _, lower, upper) in zip(
        places[:2], edges[::3], strict=True
    ):
        assert x < left and upper < y < lower
    for (x, y), (left, right, _, upper) in zip(
        places[2:5], edges[:3], strict=True
    ):
        assert left < x < right and y < upper
    assert places[5][1] < places[2][1]


def test_images_keep_their_proportions_in_equal_cells(tmp_path):
    rows = [[np.zeros((8, 6, 3)), np.zeros((4, 4, 3))]]
    figure = image_grid(rows, (0, 1), side=0.8)
    assert [x.shape for x in drawn(figure)] == [(8, 6, 3), (4, 4, 3)]
    sizes = [
        (right - left, lower - upper)
        for left, right, lower, upper in boxes(figure)
    ]
    np.testing.assert_allclose(sizes, [(0.6, 0.8), (0.6, 0.6)])
    figure.savefig(tmp_path / "grid.png")
    assert (tmp_path / "grid.png").read_bytes()[1:4] == b"PNG"


def test_frames_and_captions_have_the_colors_of_their_images():
    figure = image_grid(
        np.zeros((1, 2, 4, 4, 1)),
        (0, 1),
        captions=["one", "two"],
        text_colors=["black", "red"],
        frame_colors=[None, "red"],
    )
    (axes,) = figure.axes
    assert [text.get_color() for text in axes.texts] == ["black", "red"]
    (frame,) = axes.lines
    assert colors.to_rgba(frame.get_color()) == colors.to_rgba("red")
    left, right, lower, upper = boxes(figure)[1]
    assert set(frame.get_xdata()) == {left, right}
    assert set(frame.get_ydata()) == {lower, upper}


def test_last_row_may_be_shorter():
    rows = in_rows(np.arange(5).reshape(5, 1, 1, 1), 2)
    assert [row.ravel().tolist() for row in rows] == [[0, 1], [2, 3], [4]]
    figure = image_grid(rows, (0, 4))
    lefts = [left for left, *_ in boxes(figure)]
    assert lefts[0] == lefts[2] == lefts[4] < lefts[1] == lefts[3]


@pytest.mark.parametrize(
    "images, message",
    [
        (np.zeros((2, 3, 8, 8)), r"`images\[..., None\]`.*shape=\(8, 8\)"),
        (np.zeros((1, 1, 8, 8, 2)), r"1 or 3 channels.*shape=\(8, 8, 2\)"),
    ],
)
def test_other_shapes_are_refused(images, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        image_grid(images, (0, 1))
