import numpy as np
import pytest

from keras_fewlabels.policies.parts import collapse_of_classes


@pytest.mark.parametrize(
    ("pseudo_labels", "labels", "named"),
    [
        ([100, 0, 0, 0], [5, 5, 5, 5], "Class 0 is taking over: 100% of"),
        ([1, 50, 0, 49], [5, 5, 5, 5], "Class 1 is taking over: 50% of"),
        ([30, 20, 30, 20], [5, 5, 5, 5], None),
        ([0, 95, 5], [0, 19, 1], None),
        ([0, 0, 0], [0, 0, 0], None),
    ],
)
def test_classes_that_take_over(pseudo_labels, labels, named):
    found = collapse_of_classes(np.array(pseudo_labels), np.array(labels))
    assert found is None if named is None else found.startswith(named)


def test_the_limit_is_three_quarters_of_the_entropy_of_the_labels():
    # With the share p of one of two classes, the entropy is 0.75 log 2 at
    # p = 0.2145.
    labels = np.array([1, 1])
    assert collapse_of_classes(np.array([215, 785]), labels) is None
    assert collapse_of_classes(np.array([214, 786]), labels) is not None
