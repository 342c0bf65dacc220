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
    "num_classes, has_numbers, has_names",
    [(25, True, True), (26, False, True), (61, False, False)],
)
def test_many_classes_have_no_room_for_text(
    num_classes, has_numbers, has_names
):
    (axes,) = confusion_matrix(np.eye(num_classes, dtype=int)).axes
    assert bool(axes.texts) is has_numbers
    assert bool(len(axes.get_yticks())) is has_names


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
