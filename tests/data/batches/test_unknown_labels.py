import numpy as np
import pytest
from keras import ops

from keras_fewlabels.data.batches.unknown_labels import (
    are_known,
    likelier_answers,
    mark_unknown,
)

KNOWN = np.array([[True, False, False], [False, True, True]])


@pytest.mark.parametrize("dtype", ["float16", "float32", "int32"])
def test_marks_tell_what_is_known_and_which_answer_is_likelier(dtype):
    labels = np.array([[1, 0, 1], [0, 1, 0]], dtype)
    marked = mark_unknown(labels, KNOWN)
    assert marked.tolist() == [[1, -1, 2], [-1, 1, 0]]
    marked = ops.convert_to_tensor(marked.astype("float32"))
    np.testing.assert_array_equal(
        ops.convert_to_numpy(are_known(marked)), KNOWN
    )
    np.testing.assert_array_equal(
        ops.convert_to_numpy(likelier_answers(marked)), labels
    )


def test_soft_labels_stay_where_they_are_known():
    labels = np.array([[0.75, 0.25, 0.625], [0.5, 0.125, 0.875]], "float16")
    marked = mark_unknown(labels, KNOWN)
    assert marked.tolist() == [[0.75, -1, 2], [-1, 0.125, 0.875]]
