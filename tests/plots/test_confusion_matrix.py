import numpy as np
import pytest

from keras_fewlabels.plots import confusion_matrix

COUNTS = np.array([[8, 2, 0], [0, 1200, 0], [0, 0, 0]])


def test_counts_and_names():
    (axes,) = confusion_matrix(COUNTS, ["cat", "dog", "owl"]).axes
    texts = [text.get_text() for text in axes.texts]
    assert texts == ["8", "2", "", "", "1,200", "", "", "", ""]
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert names == ["cat", "dog", "owl"]
    # Rows are shares; one without images is blank.
    shares = axes.images[0].get_array()
    np.testing.assert_allclose(shares, [[0.8, 0.2, 0], [0, 1, 0], [0, 0, 0]])


@pytest.mark.parametrize(
    "num_classes, has_numbers, num_names",
    [(25, True, 25), (26, False, 26), (60, False, 60), (61, True, 25)],
)
def test_many_classes_have_no_room_for_numbers(
    num_classes, has_numbers, num_names
):
    (axes,) = confusion_matrix(np.eye(num_classes, dtype=int)).axes
    assert bool(axes.texts) is has_numbers
    assert len(axes.get_yticks()) == num_names


@pytest.mark.parametrize("dtype", ["int64", "uint8"])
def test_of_many_classes_the_most_confused_are_drawn_by_name(dtype):
    counts = np.diag(np.full(1000, 10)).astype(dtype)
    counts[7, 900] = 6
    counts[900, 7] = 2
    counts[20, 3] = 5
    # Confused once each with the next class.
    counts[np.arange(100, 140), np.arange(101, 141)] = 1
    counts[7, 500] = 1
    names = [f"name {number}" for number in range(1000)]
    figure = confusion_matrix(counts, names)
    assert max(figure.get_size_inches()) < 16
    (axes,) = figure.axes
    assert "24 of 1,000 classes" in axes.get_title()
    shown = [text.get_text() for text in axes.get_yticklabels()]
    assert len(shown) == 25 and shown[-1] == "all others"
    assert {"name 7", "name 900", "name 20", "name 3"} <= set(shown)
    cells = np.array([text.get_text() for text in axes.texts])
    cells = cells.reshape(25, 25)
    row, column = shown.index("name 7"), shown.index("name 900")
    assert cells[row, column] == "6" and cells[column, row] == "2"
    assert cells[row, row] == "10"
    # Predicted as another class, which is not drawn.
    assert cells[row, -1] == ("" if "name 500" in shown else "1")
    assert cells[-1, -1] == ""
    shares = axes.images[0].get_array()
    assert shares[row, column] == pytest.approx(6 / 17)


def test_many_classes_without_a_mistake():
    counts = np.diag(np.arange(70))
    (axes,) = confusion_matrix(counts).axes
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert names == [*map(str, range(46, 70)), "all others"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (([[1.0]],), "whole numbers from 0.*float64"),
        (([[1, 2]],), r"shape=\(1, 2\)"),
        (([[-1]],), "whole numbers from 0"),
        (([[1]], ["a", "b"]), "each of the 1 classes"),
    ],
)
def test_counts_must_be_a_square_matrix(arguments, message):
    with pytest.raises(ValueError, match=message):
        confusion_matrix(*arguments)
