import numpy as np
import pytest

from keras_fewlabels.plots import image_grid


def drawn(figure):
    return [axes.images[0].get_array() for axes in figure.axes]


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
    figure = image_grid(images, (0, 1), ["cat", "dog"], ["a", "b", "c"])
    levels = [array[0, 0, 0] for array in drawn(figure)]
    np.testing.assert_allclose(levels, np.arange(6) / 5)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["a", "b", "c", "", "", ""]
    labels = [axes.get_ylabel() for axes in figure.axes]
    assert labels == ["cat", "", "", "dog", "", ""]


def test_images_of_several_sizes(tmp_path):
    rows = [[np.zeros((8, 6, 3)), np.zeros((4, 4, 3))]]
    figure = image_grid(rows, (0, 1))
    assert [x.shape for x in drawn(figure)] == [(8, 6, 3), (4, 4, 3)]
    figure.savefig(tmp_path / "grid.png")
    assert (tmp_path / "grid.png").read_bytes()[1:4] == b"PNG"


WRONG = [
    (np.zeros((2, 3, 8, 8)), {}, r"`images\[..., None\]`.*shape=\(8, 8\)"),
    (np.zeros((1, 1, 8, 8, 2)), {}, r"1 or 3 channels.*shape=\(8, 8, 2\)"),
    ([], {}, r"at least one. Received: rows of \[\] images"),
    ([[np.zeros((1, 1, 1))], []], {}, r"equally many.*rows of \[1, 0\] images"),
    (
        np.zeros((1, 2, 1, 1, 1)),
        {"column_titles": ["a"]},
        r"`column_titles` must hold 2.*each column. Received.*=\['a'\]",
    ),
    (
        np.zeros((1, 2, 1, 1, 1)),
        {"row_titles": ["a", "b"]},
        r"`row_titles` must hold 1.*each row. Received",
    ),
]


@pytest.mark.parametrize("images, kwargs, message", WRONG)
def test_wrong_arguments(images, kwargs, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        image_grid(images, **kwargs)
