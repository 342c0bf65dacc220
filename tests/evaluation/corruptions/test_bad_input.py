"""Checks that wrong arguments raise before anything happens."""

import numpy as np
import pytest

import keras_fewlabels as kfl
from bad_input import (
    BUILT,
    IMAGES,
    LABELS,
    NAN,
    RAGGED,
    RNG,
    check_refused,
    classifier,
    parameters,
    watched,
)

LARGE = RNG.integers(0, 256, (4, 32, 32, 1), "uint8")


def evaluate(model=None, x=LARGE, y=LABELS[:4], names=("fog",), **options):
    model = model or classifier(shape=(32, 32, 1))
    names = list(names) if isinstance(names, tuple) else names
    kfl.evaluation.evaluate_corruptions(
        model, x, y, names, (1,), verbose=0, **options
    )


def flip_rate(model=None, x=LARGE, **options):
    model = model or classifier(shape=(32, 32, 1))
    options = {"perturbations": ["brightness"], "verbose": 0, **options}
    kfl.evaluation.evaluate_flip_rate(model, x, **options)


def broken_classifier():
    model = classifier(shape=(32, 32, 1))
    model.set_weights([np.full(w.shape, np.nan) for w in model.get_weights()])
    BUILT.clear()
    return watched(model)


def corrupt(x=LARGE, corruption="fog", **options):
    kfl.evaluation.corrupt(x, corruption, **options)


# Name: (expected in the message, the call that must raise).
CASES = {
    "corrupt: unknown corruption": (
        "`corruption` must be",
        lambda: corrupt(corruption="rain"),
    ),
    "corrupt: severity of 6": (
        "`severity` must be an int from 1 to 5",
        lambda: corrupt(severity=6),
    ),
    "corrupt: severity of another type": (
        "`severity` must be an int from 1 to 5",
        lambda: corrupt(severity=[3]),
    ),
    "corrupt: small images": (
        "32 pixels or larger",
        lambda: corrupt(IMAGES),
    ),
    "corrupt: images of several sizes": (
        "`x` must .*one size",
        lambda: corrupt(RAGGED),
    ),
    "corrupt: floats of no known range": (
        r"Pass `value_range=\(black, white\)`",
        lambda: corrupt(LARGE * 2.0),
    ),
    "corrupt: one number as range": (
        "`value_range` must be the values of black and white",
        lambda: corrupt(LARGE / 255, value_range=1),
    ),
    "corrupt: NaN": (
        "must hold finite numbers",
        lambda: corrupt(LARGE * NAN, value_range=(0, 1)),
    ),
    "corrupt: negative seed": (
        "`seed` must be an int, 0 or more",
        lambda: corrupt(seed=-1),
    ),
    "evaluate_corruptions: model of another type": (
        "`model` must be a `keras.Model`",
        lambda: evaluate(lambda images: images),
    ),
    "evaluate_corruptions: path of images": (
        "`x` must be an array of uint8 or floats",
        lambda: evaluate(x="folder"),
    ),
    "evaluate_corruptions: label outside the classes": (
        "must hold class numbers from 0 to 2",
        lambda: evaluate(y=LABELS[:4] + 1),
    ),
    "evaluate_corruptions: names as text": (
        "`corruptions` must be a list",
        lambda: evaluate(names="fog"),
    ),
    "evaluate_corruptions: a name twice": (
        "`corruptions` must be a list .* all different",
        lambda: evaluate(names=("fog", "fog")),
    ),
    "evaluate_corruptions: no batch": (
        "`batch_size` must be an int, 1 or more",
        lambda: evaluate(batch_size=0),
    ),
    "evaluate_corruptions: baseline of another type": (
        "`baseline` must be",
        lambda: evaluate(baseline="resnet"),
    ),
    "evaluate_corruptions: model of other images": (
        "The model must take the images",
        lambda: evaluate(classifier()),
    ),
    "evaluate_flip_rate: no perturbations": (
        "`perturbations` must be a list with one entry or more",
        lambda: flip_rate(perturbations=[]),
    ),
    "evaluate_flip_rate: broken model": (
        "must return finite scores",
        lambda: flip_rate(broken_classifier()),
    ),
}


@pytest.mark.parametrize("message, do_wrong", parameters(CASES))
def test_refused_before_anything_happens(
    message, do_wrong, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    check_refused(message, do_wrong, tmp_path)
