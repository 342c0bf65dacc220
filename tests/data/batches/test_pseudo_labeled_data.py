import numpy as np
import pytest

from keras_fewlabels.data.batches.pseudo_labeled_batches import (
    PseudoLabeledBatches,
)
from keras_fewlabels.data.batches.pseudo_labeled_data import pseudo_labeled_data
from keras_fewlabels.data.sources.image_source import image_source

LABELED = np.zeros((5, 4, 4, 1), "float32"), np.arange(5)
UNLABELED = np.zeros((20, 4, 4, 1), "float32")


def mixed(labeled=LABELED, unlabeled=UNLABELED, batch_size=4, steps=None):
    source = image_source(unlabeled)
    return pseudo_labeled_data(
        labeled, source, batch_size=batch_size, steps_per_epoch=steps, seed=0
    )


def tf_data(*parts):
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices(
        parts if len(parts) > 1 else parts[0]
    )


def test_arrays_and_datasets_in_any_combination():
    from keras_fewlabels.data.batches.pseudo_labeled_streams import (
        PseudoLabeledStreams,
    )

    assert isinstance(mixed(), PseudoLabeledBatches)
    for labeled, unlabeled in (
        (LABELED, tf_data(UNLABELED)),
        (tf_data(*LABELED).batch(2), UNLABELED),
        (tf_data(*LABELED), tf_data(UNLABELED)),
    ):
        streams = mixed(labeled, unlabeled)
        assert isinstance(streams, PseudoLabeledStreams)
        assert streams.num_steps == 7
        assert streams.labels.tolist() == [0, 1, 2, 3, 4]
    assert mixed(steps=3).num_steps == 3


ERRORS = {
    "no pair": (lambda: mixed(LABELED[0]), "pair.*ndarray"),
    "three": (lambda: mixed((*LABELED, LABELED[1])), "pair.*of 3"),
    "batch size": (lambda: mixed(batch_size=0), "`batch_size`.*=0"),
    "steps": (lambda: mixed(steps=-2), "`steps_per_epoch`.*=-2"),
    "shape": (
        lambda: mixed(unlabeled=UNLABELED[:, :2]),
        r"labeled \(4, 4, 1\), unlabeled \(2, 4, 1\)",
    ),
    "dataset of another shape": (
        lambda: mixed(unlabeled=tf_data(UNLABELED[:, :2])),
        r"labeled \(4, 4, 1\), unlabeled \(2, 4, 1\)",
    ),
    "dtype": (
        lambda: mixed(unlabeled=tf_data(UNLABELED.astype("uint8"))),
        "labeled float32, unlabeled uint8",
    ),
    "weights": (
        lambda: mixed(tf_data(*LABELED, LABELED[1]), tf_data(UNLABELED)),
        r"pairs \(images, labels\).*weights",
    ),
    "labels": (
        lambda: mixed(tf_data(LABELED[0], LABELED[1] - 1), tf_data(UNLABELED)),
        "class numbers from 0.*minimum=-1",
    ),
}


@pytest.mark.parametrize("case", ERRORS.values(), ids=ERRORS)
def test_errors(case):
    with pytest.raises(ValueError, match=case[1]):
        case[0]()
