"""Checks that wrong arguments raise before anything happens."""

import pytest

import keras_fewlabels as kfl
from bad_input import (
    IMAGES,
    LABELED,
    LABELS,
    SCORES,
    check_refused,
    fit_with,
    parameters,
)

# Name: (expected in the message, the call that must raise).
CASES = {
    "TensorBoardImages: nothing to show": (
        "There must be images to show",
        lambda: kfl.callbacks.TensorBoardImages("logs"),
    ),
    "TensorBoardImages: images without labels": (
        "`labeled` must be a pair",
        lambda: kfl.callbacks.TensorBoardImages("logs", IMAGES),
    ),
    "TensorBoardImages: truth of other images": (
        "one class number per unlabelled image",
        lambda: kfl.callbacks.TensorBoardImages(
            "logs", unlabeled=IMAGES, truth=LABELS[:3]
        ),
    ),
    "TensorBoardImages: truth of no images": (
        "`truth` has the classes of `unlabeled`",
        lambda: kfl.callbacks.TensorBoardImages("logs", LABELED, truth=LABELS),
    ),
    "TensorBoardImages: a function to augment": (
        "`augment` must be a Keras layer",
        lambda: kfl.callbacks.TensorBoardImages("logs", LABELED, augment=abs),
    ),
    "TensorBoardImages: names of fewer classes": (
        "name each of the 3 classes",
        lambda: kfl.callbacks.TensorBoardImages(
            "logs", LABELED, class_names=["a"]
        ),
    ),
    "TensorBoardImages: every 0 epochs": (
        "`every` must be an int",
        lambda: kfl.callbacks.TensorBoardImages("logs", LABELED, every=0),
    ),
    "TensorBoardEmbeddings: labels of other images": (
        "one label per image",
        lambda: kfl.callbacks.TensorBoardEmbeddings("logs", IMAGES, [0]),
    ),
    "TensorBoardEmbeddings: vectors": (
        "`x` must have shape",
        lambda: kfl.callbacks.TensorBoardEmbeddings("logs", SCORES),
    ),
    "TensorBoardEmbeddings: unknown layer": (
        "`layer` must be the name of a layer",
        lambda: fit_with(
            kfl.callbacks.TensorBoardEmbeddings("logs", IMAGES, layer="?")
        ),
    ),
    "TensorBoardEmbeddings: no images": (
        "`num_images` must be an int",
        lambda: kfl.callbacks.TensorBoardEmbeddings(
            "logs", IMAGES, num_images=0
        ),
    ),
}


@pytest.mark.parametrize("message, do_wrong", parameters(CASES))
def test_refused_before_anything_happens(
    message, do_wrong, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    check_refused(message, do_wrong, tmp_path)
