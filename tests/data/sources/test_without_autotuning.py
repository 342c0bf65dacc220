import numpy as np
import pytest
import tensorflow as tf

from keras_fewlabels.callbacks import PseudoLabeler
from keras_fewlabels.data import mix_labeled_unlabeled
from keras_fewlabels.data.sources.streams import without_autotuning
from keras_fewlabels.data.sources.unlabeled_source import unlabeled_source

pytestmark = pytest.mark.tensorflow
IMAGES = np.arange(48, dtype="uint8").reshape(12, 2, 2, 1)
LABELED = IMAGES[:4], np.arange(4)


def stream(images):
    return tf.data.Dataset.from_tensor_slices(images)


def test_elements_and_other_options_stay():
    options = tf.data.Options()
    options.deterministic = False
    dataset = without_autotuning(tf.data.Dataset.range(3).with_options(options))
    assert list(dataset.as_numpy_iterator()) == [0, 1, 2]
    assert dataset.options().autotune.enabled is False
    assert dataset.options().deterministic is False


@pytest.mark.parametrize("source", [np.array, stream], ids=["array", "stream"])
@pytest.mark.parametrize(
    "dataset_of",
    [
        lambda source: mix_labeled_unlabeled(LABELED, source, 2),
        lambda source: PseudoLabeler(source).mixed_with(LABELED, 2),
    ],
    ids=["mixed", "pseudo_labeled"],
)
def test_what_is_fitted_is_not_tuned(dataset_of, source):
    # Or the fit may wait for the thread that tunes, between two epochs.
    options = dataset_of(source(IMAGES)).options()
    assert options.autotune.enabled is False


def test_what_is_labeled_is_not_tuned():
    source = unlabeled_source(stream(IMAGES))
    for _, _, images in source.pieces(piece_size=8, batch_size=4):
        assert images.options().autotune.enabled is False


def test_a_user_dataset_that_is_tuned_is_not_when_mixed():
    options = tf.data.Options()
    options.autotune.enabled = True
    source = stream(IMAGES).with_options(options)
    mixed = mix_labeled_unlabeled(LABELED, source, 2)
    assert mixed.options().autotune.enabled is False
