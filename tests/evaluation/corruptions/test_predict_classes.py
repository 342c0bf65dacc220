import keras
import numpy as np
import pytest

from keras_fewlabels.evaluation.corruptions.predict_classes import (
    predict_classes,
)
from keras_fewlabels.policies.parts import ClassScores

SCORES = ClassScores(True)


def brightest_channel():
    return keras.Sequential(
        [keras.Input((32, 32, 3)), keras.layers.GlobalAveragePooling2D()]
    )


def same(batch, first, version):
    return batch


IMAGES = np.zeros((7, 32, 32, 3), "float32")
IMAGES[[0, 3], ..., 1] = 1
IMAGES[5, ..., 2] = 1


def test_classes_of_changed_images_in_order():
    seen = set()

    def turned(batch, first, channel):
        seen.add((len(batch), first, channel))
        return np.roll(batch, channel, axis=-1)

    found = predict_classes(
        brightest_channel(), IMAGES, turned, [0, 1], 3, SCORES
    )
    assert found.tolist() == [[1, 0, 0, 1, 0, 2, 0], [2, 0, 0, 2, 0, 0, 0]]
    batches = [(3, 0), (3, 3), (1, 6)]
    assert seen == {
        (*batch, channel) for batch in batches for channel in (0, 1)
    }


def test_scores_that_are_not_finite():
    def broken(batch, first, version):
        return batch * np.nan if first == 6 else batch

    with pytest.raises(ValueError, match="3 scores that are not finite"):
        predict_classes(brightest_channel(), IMAGES, broken, [0], 3, SCORES)
