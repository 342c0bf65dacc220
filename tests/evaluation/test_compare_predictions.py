import keras
import numpy as np
import pytest

from keras_fewlabels.evaluation import Verdict, compare_predictions

Y = np.array([0, 1, 2, 2, 1])
BEFORE = np.array([0, 1, 1, 1, 1])
AFTER = np.array([0, 0, 2, 1, 1])


@pytest.mark.parametrize("kind", [np.asarray, keras.utils.to_categorical])
def test_counts_what_only_one_has_right(kind):
    verdict = compare_predictions(kind(BEFORE), kind(AFTER), kind(Y))
    assert verdict == Verdict(num_images=5, num_gained=1, num_lost=1)


def test_scores_of_any_size():
    # Logits, which are no distribution.
    before = keras.utils.to_categorical(BEFORE) * 7 - 3
    assert compare_predictions(before, Y, Y) == Verdict(5, 2, 0)


@pytest.mark.parametrize(
    "arrays", [(BEFORE[:4], AFTER, Y), (BEFORE[:0], AFTER[:0], Y[:0])]
)
def test_other_images_are_refused(arrays):
    with pytest.raises(ValueError, match="must be of the same images"):
        compare_predictions(*arrays)
