import json

import pytest

from keras_fewlabels.evaluation.class_recalls import class_recalls


def test_recalls_by_hand():
    # 60 of 100 images, 1 of 4, and a class without images, which others are
    # taken for.
    confusion = [[60, 30, 10], [3, 1, 0], [0, 0, 0]]
    found = class_recalls(confusion)
    first, second, absent = found["recalls"]
    assert first["recall"] == 0.6 and second["recall"] == 0.25
    assert (first["num_right"], first["num_images"]) == (60, 100)
    # Wilson's interval of 60 of 100 images, from textbooks.
    assert first["interval"] == pytest.approx([0.502, 0.691], abs=1e-3)
    assert absent == {
        **{"num_images": 0, "num_right": 0, "recall": None, "interval": None}
    }
    # The accuracy is 61 / 104; a class without images has no say.
    assert found["balanced_accuracy"] == pytest.approx((0.6 + 0.25) / 2)
    assert json.loads(json.dumps(found)) == found
