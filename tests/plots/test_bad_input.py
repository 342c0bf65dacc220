"""Checks that wrong arguments raise before anything happens."""

import numpy as np
import pytest
from keras import layers

import keras_fewlabels as kfl
from bad_input import IMAGES, LABELS, NAN, SCORES, check_refused, parameters

# Name: (expected in the message, the call that must raise).
CASES = {
    "augmentations: one image": (
        "`images` must have the shape",
        lambda: kfl.plots.augmentations(IMAGES[0], layers.Identity()),
    ),
    "augmentations: no views": (
        "`num_views` must be an int, 1 or more",
        lambda: kfl.plots.augmentations(IMAGES, layers.Identity(), 0),
    ),
    "augmentations: layer of another type": (
        "`layer` must be",
        lambda: kfl.plots.augmentations(IMAGES, "rotate"),
    ),
    "comparison: percentages": (
        "must be fractions in 0 to 1",
        lambda: kfl.plots.comparison({"labels only": 61}),
    ),
    "comparison: NaN": (
        "Each accuracy in `accuracies` must be a number",
        lambda: kfl.plots.comparison({"labels only": NAN}),
    ),
    "contact_sheet: images without channels": (
        "with 1 or 3 channels",
        lambda: kfl.plots.contact_sheet(IMAGES[..., 0], LABELS),
    ),
    "contact_sheet: empty range": (
        "`value_range` must be the values of black and white",
        lambda: kfl.plots.contact_sheet(IMAGES, LABELS, value_range=(0, 0)),
    ),
    "contact_sheet: captions of other images": (
        "one string per image",
        lambda: kfl.plots.contact_sheet(IMAGES, LABELS[:3]),
    ),
    "learning_curves: unknown metric": (
        "each must be in a history",
        lambda: kfl.plots.learning_curves({"loss": [1.0]}, ["accuracy"]),
    ),
    "learning_curves: one number": (
        "one value per epoch",
        lambda: kfl.plots.learning_curves({"loss": 1.0}),
    ),
    "predictions: labels of other images": (
        "`true` must be 4 labels",
        lambda: kfl.plots.predictions(IMAGES[:4], [0], SCORES),
    ),
    "predictions: labels of text": (
        "`true` must hold whole numbers",
        lambda: kfl.plots.predictions(IMAGES[:4], list("abcd"), SCORES),
    ),
    "predictions: names of other classes": (
        "`class_names` must name each class",
        lambda: kfl.plots.predictions(IMAGES[:4], LABELS[:4], SCORES, ["cat"]),
    ),
    "predictions: no columns": (
        "`num_columns` must be",
        lambda: kfl.plots.predictions(
            IMAGES[:4], LABELS[:4], SCORES, num_columns=0
        ),
    ),
    "pseudo_labels: no rounds": (
        "`rounds` must hold a round of labelling",
        lambda: kfl.plots.pseudo_labels(
            {"label": LABELS, "confidence": np.ones(16)}, []
        ),
    ),
    "pseudo_labels: other columns": (
        "must be the dict that `PseudoLabeler.to_dict",
        lambda: kfl.plots.pseudo_labels({"label": LABELS}, []),
    ),
}


@pytest.mark.parametrize("message, do_wrong", parameters(CASES))
def test_refused_before_anything_happens(
    message, do_wrong, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    check_refused(message, do_wrong, tmp_path)
