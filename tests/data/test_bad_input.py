"""Checks that wrong arguments raise before anything happens."""

import numpy as np
import pytest

import keras_fewlabels as kfl
from bad_input import (
    BROKEN,
    FLOATS,
    IMAGES,
    LABELED,
    LABELS,
    NAN,
    ONE_HOT,
    RAGGED,
    UNLABELED,
    Endless,
    check_refused,
    mix,
    parameters,
    tf_data,
)

# Name: (expected in the message, the call that must raise).
CASES = {
    "mix_labeled_unlabeled: empty truth": (
        "`truth` must hold at least one label",
        lambda: mix(truth=[]),
    ),
    "mix_labeled_unlabeled: rows of strings": (
        "column per class must hold numbers",
        lambda: mix(labeled=(IMAGES, np.full((len(IMAGES), 2), "cat"))),
    ),
    "split_labels: no labels": (
        "`num_labeled` must be an int, 1 or more",
        lambda: kfl.data.split_labels(IMAGES, LABELS, 0),
    ),
    "split_labels: share instead of a number": (
        "`num_labeled` must be an int",
        lambda: kfl.data.split_labels(IMAGES, LABELS, 4.5),
    ),
    "split_labels: more than there are": (
        "must not exceed the number of images",
        lambda: kfl.data.split_labels(IMAGES, LABELS, 8, 9),
    ),
    "split_labels: fewer than classes": (
        "at least one label per class",
        lambda: kfl.data.split_labels(IMAGES, LABELS, 2),
    ),
    "split_labels: negative seed": (
        "`seed` must be",
        lambda: kfl.data.split_labels(IMAGES, LABELS, 4, seed=-1),
    ),
    "split_labels: images without channels": (
        "`x` must have shape",
        lambda: kfl.data.split_labels(IMAGES[..., 0], LABELS, 4),
    ),
    "split_labels: empty": (
        "at least one image",
        lambda: kfl.data.split_labels(IMAGES[:0], LABELS[:0], 4),
    ),
    "split_labels: images of several sizes": (
        "`x` must .*one size",
        lambda: kfl.data.split_labels(RAGGED, [0, 1], 1),
    ),
    "split_labels: images of text": (
        "`x` must hold numbers",
        lambda: kfl.data.split_labels(IMAGES.astype(str), LABELS, 4),
    ),
    "split_labels: labels of text": (
        "`y` must hold whole class numbers",
        lambda: kfl.data.split_labels(IMAGES, LABELS.astype(str), 4),
    ),
    "split_labels: negative labels": (
        "`y` must hold class numbers from 0 or more",
        lambda: kfl.data.split_labels(IMAGES, LABELS - 1, 4),
    ),
    "split_labels: infinite labels": (
        "`y` must hold whole class numbers",
        lambda: kfl.data.split_labels(
            IMAGES, np.where(LABELS == 1, np.inf, LABELS), 4
        ),
    ),
    "split_labels: labels of other images": (
        "one label per image",
        lambda: kfl.data.split_labels(IMAGES, LABELS[:9], 4),
    ),
    "mix: labelled images without labels": (
        r"`labeled` must be a pair \(images, labels\)",
        lambda: mix(labeled=IMAGES),
    ),
    "mix: labels of other images": (
        "one label per image",
        lambda: mix((IMAGES, LABELS[:3])),
    ),
    "mix: rows that do not sum to 1": (
        "not negative and sum to 1",
        lambda: mix((IMAGES, 2 * ONE_HOT)),
    ),
    "mix: labelled images of several sizes": (
        "`labeled` must .*one size",
        lambda: mix((RAGGED, [0, 1])),
    ),
    "mix: unlabelled images with labels": (
        "`unlabeled` must be images alone",
        lambda: mix(unlabeled=LABELED),
    ),
    "mix: unlabelled images of another size": (
        "same height, width and channels",
        lambda: mix(unlabeled=UNLABELED[:, :6]),
    ),
    "mix: unlabelled images of another type": (
        "must have the same dtype",
        lambda: mix(unlabeled=FLOATS),
    ),
    "mix: NaN": (
        "`unlabeled` must hold finite numbers",
        lambda: mix(unlabeled=BROKEN),
    ),
    "mix: nothing unlabelled": (
        "`unlabeled` must hold at least one image",
        lambda: mix(unlabeled=UNLABELED[:0]),
    ),
    "mix: path of a folder": (
        "`unlabeled` must be images",
        lambda: mix(unlabeled="folder"),
    ),
    "mix: batch size of another type": (
        "`batch_size` must be an int",
        lambda: mix(batch_size=4.5),
    ),
    "mix: ratio of 0": (
        "`unlabeled_ratio` must be a number above 0",
        lambda: mix(unlabeled_ratio=0),
    ),
    "mix: ratio NaN": (
        "`unlabeled_ratio` must be",
        lambda: mix(unlabeled_ratio=NAN),
    ),
    "mix: ratio of another type": (
        "`unlabeled_ratio` must be",
        lambda: mix(unlabeled_ratio="7"),
    ),
    "mix: seed of another type": (
        "`seed` must be",
        lambda: mix(seed="7"),
    ),
    "mix: truth of other images": (
        "one class number per unlabelled image",
        lambda: mix(truth=[0, 1]),
    ),
    "mix: truth of text": (
        "`truth` must hold whole class numbers",
        lambda: mix(truth=["cat"] * 8),
    ),
    "mix: truth of fractions": (
        "`truth` must hold whole class numbers",
        lambda: mix(truth=np.full(8, 0.5)),
    ),
    "mix: negative sample weights": (
        "must be finite and not negative",
        lambda: mix((*LABELED, -np.ones(8))),
    ),
    "mix: infinite labelled tf.data": (
        r"`labeled` must end.*Remove `.repeat\(\)`",
        lambda: mix(tf_data(*LABELED).repeat()),
    ),
    "mix: infinite unlabelled tf.data": (
        r"`unlabeled` must end.*Remove `.repeat\(\)`",
        lambda: mix(unlabeled=tf_data(UNLABELED).repeat()),
    ),
    "mix: unlabelled tf.data with labels": (
        "`unlabeled` must be a dataset of images alone",
        lambda: mix(unlabeled=tf_data(*LABELED)),
    ),
    "mix: empty tf.data": (
        "`unlabeled` must hold at least one image",
        lambda: mix(unlabeled=tf_data(UNLABELED).take(0)),
    ),
    "mix: tf.data of images of another size": (
        "same height, width and channels",
        lambda: mix(unlabeled=tf_data(UNLABELED[:, :6])),
    ),
    "mix: endless PyDataset, read by tf.data": (
        "must end",
        lambda: mix(Endless()),
    ),
}


@pytest.mark.parametrize("message, do_wrong", parameters(CASES))
def test_refused_before_anything_happens(
    message, do_wrong, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    check_refused(message, do_wrong, tmp_path)
