import warnings

import numpy as np
import pytest

from keras_fewlabels.callbacks.pseudo_labeler.warn_of_collapse import (
    warn_of_collapse,
)


def labeling_round(class_counts, share=0.75):
    return {"epoch": 3, "share": share, "class_counts": class_counts}


def test_a_class_that_takes_over():
    with pytest.warns(UserWarning, match=r"Class 1 .*epoch 3.*`balance="):
        assert warn_of_collapse(labeling_round([2, 98]), np.arange(10) % 2)


def test_several_labels_of_which_none_is_ever_true():
    rows = np.eye(2)
    with pytest.warns(UserWarning, match=r"are a no .epoch 3.*soft=True"):
        assert warn_of_collapse(labeling_round([0, 0]), rows, one_true=False)


@pytest.mark.parametrize(
    "found, labels, one_true",
    [
        (labeling_round([5, 5]), np.arange(10) % 2, True),
        # Too few to judge.
        (labeling_round([2, 98], share=0.25), np.arange(10) % 2, True),
        (labeling_round([0, 0], share=0.25), np.eye(2), False),
        # Labels need not be equally frequent.
        (labeling_round([0, 1]), np.eye(2), False),
    ],
)
def test_nothing_to_warn_of(found, labels, one_true):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not warn_of_collapse(found, labels, one_true)
