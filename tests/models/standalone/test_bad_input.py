"""Checks that wrong arguments raise before anything happens."""

import pytest
from keras import layers

import keras_fewlabels as kfl
from bad_input import (
    IMAGES,
    Subclassed,
    check_refused,
    classifier,
    parameters,
    residual,
    unbuilt,
)


def halved(x):
    return x / 2


def standalone(
    model=None,
    names=("a", "b", "c"),
    size=(8, 8),
    value_range=(0, 1),
    **options,
):
    model = classifier() if model is None else model
    return kfl.models.standalone(
        model, names, image_size=size, value_range=value_range, **options
    )


# Name: (expected in the message, the call that must raise).
CASES = {
    "standalone: subclassed model": (
        "functional or `Sequential` model that is built",
        lambda: standalone(Subclassed()),
    ),
    "standalone: model that is not built": (
        "functional or `Sequential` model that is built",
        lambda: standalone(unbuilt()),
    ),
    "standalone: a path": (
        "functional or `Sequential` model that is built",
        lambda: standalone("model.keras"),
    ),
    "standalone: vectors instead of images": (
        "one input, images of shape",
        lambda: standalone(residual()),
    ),
    "standalone: names of other classes": (
        "must name each output",
        lambda: standalone(names=["a", "b"]),
    ),
    "standalone: names in a string": (
        "`class_names` must be a list of strings",
        lambda: standalone(names="abc"),
    ),
    "standalone: the same name twice": (
        "all different",
        lambda: standalone(names=["a", "b", "a"]),
    ),
    "standalone: size of other images": (
        "must be that of the classifier",
        lambda: standalone(size=(16, 16)),
    ),
    "standalone: size of no image": (
        "`image_size` must be an int, 1 or more",
        lambda: standalone(size=(0, 8)),
    ),
    "standalone: black above white": (
        "`value_range` must be",
        lambda: standalone(value_range=(1, 0)),
    ),
    "standalone: model that does not know black and white": (
        "`value_range` must be the values of black and white",
        lambda: standalone(value_range=None),
    ),
    "standalone: logits said to be probabilities": (
        "needs outputs that are probabilities",
        lambda: standalone(
            classifier(activation=None, loss=None), from_logits=False
        ),
    ),
    "standalone: from_logits of another type": (
        "`from_logits` must be",
        lambda: standalone(from_logits="yes"),
    ),
    "standalone: code inside": (
        "has code inside",
        lambda: standalone(classifier(front=[layers.Lambda(abs)])),
    ),
    "standalone: a function of one's own": (
        "has code inside",
        lambda: standalone(classifier(activation=halved)),
    ),
    "standalone: layer that Keras does not know": (
        "parts that Keras alone cannot load",
        lambda: standalone(
            classifier(
                front=[layers.TimeDistributed(kfl.layers.StochasticDepth())]
            )
        ),
    ),
    "standalone: packages in a string": (
        "`packages` must be a list",
        lambda: standalone(packages="keras_hub"),
    ),
    "export_standalone: model without names": (
        "`models.standalone` made it",
        lambda: kfl.models.export_standalone(classifier(), "out", IMAGES),
    ),
    "export_standalone: images of other channels": (
        "`sample` must be",
        lambda: kfl.models.export_standalone(
            standalone(), "out", IMAGES[..., 0]
        ),
    ),
    "export_standalone: no images": (
        "`sample` must be",
        lambda: kfl.models.export_standalone(standalone(), "out", IMAGES[:0]),
    ),
    "export_standalone: unknown format": (
        "`formats` must be",
        lambda: kfl.models.export_standalone(
            standalone(), "out", IMAGES, formats=["onxx"]
        ),
    ),
    "export_standalone: formats in a string": (
        "`formats` must be",
        lambda: kfl.models.export_standalone(
            standalone(), "out", IMAGES, formats="onnx"
        ),
    ),
    "predict_image: model without names": (
        "`models.standalone` made it",
        lambda: kfl.models.predict_image(classifier(), IMAGES[0]),
    ),
    "predict_image: a batch": (
        "`image` must be the path",
        lambda: kfl.models.predict_image(standalone(), IMAGES),
    ),
    "predict_image: no classes": (
        "`top` must be an int",
        lambda: kfl.models.predict_image(standalone(), IMAGES[0], top=0),
    ),
    "class_names_of: model without names": (
        "`models.standalone` made it",
        lambda: kfl.models.class_names_of(classifier()),
    ),
    "class_names_of: no model": (
        "path of a .keras",
        lambda: kfl.models.class_names_of("file"),
    ),
}


@pytest.mark.parametrize("message, do_wrong", parameters(CASES))
def test_refused_before_anything_happens(
    message, do_wrong, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    check_refused(message, do_wrong, tmp_path)
