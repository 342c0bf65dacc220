"""Checks that wrong arguments raise before anything happens."""

import numpy as np
import pytest
from keras import layers

import keras_fewlabels as kfl
from bad_input import (
    BROKEN,
    FLOATS,
    IMAGES,
    NAN,
    RAGGED,
    SCORES,
    check_refused,
    parameters,
)


def rand_augment(images=IMAGES, *arguments, **options):
    return kfl.layers.RandAugment(*arguments, **options)(images)


# Name: (expected in the message, the call that must raise).
CASES = {
    "RandAugment: negative count": (
        "`num_ops` must be an int, 0 or more",
        lambda: rand_augment(num_ops=-1),
    ),
    "RandAugment: count of another type": (
        "`num_ops` must be an int, 0 or more",
        lambda: rand_augment(num_ops="2"),
    ),
    "RandAugment: magnitude of another type": (
        "`magnitude` must be a number",
        lambda: rand_augment(magnitude="10"),
    ),
    "RandAugment: magnitude NaN": (
        "`magnitude` must be a number",
        lambda: rand_augment(magnitude=NAN),
    ),
    "RandAugment: deviation of another type": (
        "`magnitude_std` must be a number",
        lambda: rand_augment(magnitude_std=None),
    ),
    "RandAugment: probability of another type": (
        r"`apply_probability` must be .*in \[0, 1\]",
        lambda: rand_augment(apply_probability="half"),
    ),
    "RandAugment: probability out of range": (
        r"`apply_probability` must be .*in \[0, 1\]",
        lambda: rand_augment(apply_probability=1.5),
    ),
    "RandAugment: one number as range": (
        "`value_range` must be the values of black and white",
        lambda: rand_augment(value_range=255),
    ),
    "RandAugment: range in reverse": (
        "`value_range` must be the values of black and white",
        lambda: rand_augment(value_range=(255, 0)),
    ),
    "RandAugment: range of text": (
        "`value_range` must be the values of black and white",
        lambda: rand_augment(value_range="01"),
    ),
    "RandAugment: infinite range": (
        "`value_range` must be the values of black and white",
        lambda: rand_augment(FLOATS, value_range=(0, float("inf"))),
    ),
    "RandAugment: fill value of another type": (
        "`fill_value` must be in",
        lambda: rand_augment(fill_value="grey"),
    ),
    "RandAugment: fill value out of range": (
        "`fill_value` must be in",
        lambda: rand_augment(fill_value=-1),
    ),
    "RandAugment: unknown table": (
        "`table` must be 'randaugment', ",
        lambda: rand_augment(table=["randaugment"]),
    ),
    "RandAugment: unknown op": (
        "`ops` must hold Keras layers, or names",
        lambda: rand_augment(ops=["spin"]),
    ),
    "RandAugment: ops of another type": (
        "`ops` must be a sequence",
        lambda: rand_augment(ops=3),
    ),
    "RandAugment: no ops": (
        "`ops` must be a sequence",
        lambda: rand_augment(ops=[]),
    ),
    "RandAugment: seed of another type": (
        "`seed` must be",
        lambda: rand_augment(seed="7"),
    ),
    "RandAugment: images without an axis": (
        r"shape \(height, width, channels\)",
        lambda: rand_augment(IMAGES[0, :, :, 0]),
    ),
    "RandAugment: images in a list": (
        "needs images",
        lambda: rand_augment(RAGGED),
    ),
    "RandAugment: two channels": (
        "1 or 3 channels",
        lambda: rand_augment(np.zeros((2, 8, 8, 2), "uint8")),
    ),
    "RandAugment: images of ints": (
        "images of uint8 or of floats",
        lambda: rand_augment(IMAGES.astype("int32")),
    ),
    "RandAugment: NaN": (
        "needs finite images",
        lambda: rand_augment(BROKEN, value_range=(0, 1)),
    ),
    "RandAugment: images of another range": (
        "needs images in `value_range`",
        lambda: rand_augment(IMAGES.astype("float32"), value_range=(0, 1)),
    ),
    "RandAugment: dict without images": (
        'changes the "images" of a dict',
        lambda: rand_augment({"image": IMAGES}),
    ),
    "RandAugment: layer that crops": (
        "must keep the shape of the images",
        lambda: rand_augment(ops=[layers.Cropping2D(1)]),
    ),
    "StochasticDepth: rate of 1": (
        r"`rate` must be a number in \[0, 1\)",
        lambda: kfl.layers.StochasticDepth(1.0),
    ),
    "StochasticDepth: rate of another type": (
        r"`rate` must be a number in \[0, 1\)",
        lambda: kfl.layers.StochasticDepth("0.2"),
    ),
    "StochasticDepth: rate NaN": (
        r"`rate` must be a number in \[0, 1\)",
        lambda: kfl.layers.StochasticDepth(NAN),
    ),
    "StochasticDepth: unknown scale": (
        "`scale` must be 'training' or 'inference'",
        lambda: kfl.layers.StochasticDepth(scale="test"),
    ),
    "StochasticDepth: seed of another type": (
        "`seed` must be",
        lambda: kfl.layers.StochasticDepth(seed=0.5),
    ),
    "StochasticDepth: other shapes": (
        "of equal shapes",
        lambda: kfl.layers.StochasticDepth()([SCORES, SCORES[:, :2]]),
    ),
    "StochasticDepth: three inputs": (
        "one branch or the pair",
        lambda: kfl.layers.StochasticDepth()([SCORES] * 3),
    ),
    "StochasticDepth: ints": (
        "branch of floats",
        lambda: kfl.layers.StochasticDepth()(IMAGES, training=True),
    ),
    "StochasticResidual: branch of another type": (
        "`branch` must be a Keras layer",
        lambda: kfl.layers.StochasticResidual(lambda x: x),
    ),
    "StochasticResidual: branch of another shape": (
        "must keep the shape of its input",
        lambda: kfl.layers.StochasticResidual(layers.Dense(2))(SCORES),
    ),
    "StochasticResidual: rate below 0": (
        r"`rate` must be a number in \[0, 1\)",
        lambda: kfl.layers.StochasticResidual(layers.Dense(3), -0.1),
    ),
    "StochasticResidual: seed of another type": (
        "`seed` must be",
        lambda: kfl.layers.StochasticResidual(layers.Dense(3), seed="7"),
    ),
}


@pytest.mark.parametrize("message, do_wrong", parameters(CASES))
def test_refused_before_anything_happens(
    message, do_wrong, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    check_refused(message, do_wrong, tmp_path)
