import keras
import numpy as np
import pytest

from keras_fewlabels.layers import RandAugment
from keras_fewlabels.loops.noisy_student.recipe import strong_view, weak_view

NOTHING = {
    "flip": False,
    "num_ops": 0,
    "ops": None,
    "magnitude": 10,
    "table": "randaugment",
    "fill_value": None,
    "cutout": False,
}
# Of whole levels, and without any mid grey.
LEVELS = np.random.default_rng(0).integers(0, 100, (60, 8, 8, 3))
IMAGES = LEVELS.astype("float32") / 255


def seen(layer, images=IMAGES):
    return keras.ops.convert_to_numpy(layer(images, training=True))


def test_without_any_setting_images_stay_as_they_are():
    np.testing.assert_array_equal(seen(strong_view(NOTHING, (0, 1))), IMAGES)


def test_flips_alone_turn_about_half_of_the_images():
    output = seen(strong_view({**NOTHING, "flip": True}, (0, 1)))
    turned = (output == IMAGES[:, :, ::-1]).all(axis=(1, 2, 3))
    same = (output == IMAGES).all(axis=(1, 2, 3))
    assert (turned ^ same).all()
    assert 0.25 < turned.mean() < 0.75


def test_cutout_alone_covers_a_square_of_each_image():
    output = seen(strong_view({**NOTHING, "cutout": True}, (0, 1)))
    changed = (np.abs(output - IMAGES) > 1e-3).any(axis=-1)
    assert changed.any(axis=(1, 2)).all()
    # Mid grey: level 128 of 255.
    np.testing.assert_allclose(output[changed], 128 / 255, rtol=1e-6)


def test_ops_of_the_settings_are_those_that_are_drawn():
    settings = {
        **NOTHING,
        "num_ops": 3,
        "ops": ["translate_x"],
        "magnitude": 4,
        "table": "fixmatch",
        "fill_value": 0.25,
    }
    (layer,) = strong_view(settings, (-1, 1)).layers
    assert isinstance(layer, RandAugment)
    assert (layer.num_ops, layer.magnitude) == (3, 4)
    assert layer.table == "fixmatch"
    assert (layer.ops, layer.fill_value) == (("translate_x",), 0.25)
    assert layer.value_range == (-1, 1)
    settings["ops"] = None
    (layer,) = strong_view(settings, (0, 255)).layers
    assert len(layer.ops) == 14


@pytest.mark.parametrize("flip", [True, False])
def test_what_the_teacher_sees_is_shifted_a_little(flip):
    settings = {**NOTHING, "flip": flip, "fill_value": 0.0}
    # A dot in a corner of the middle.
    images = np.zeros((400, 41, 41, 1), "float32")
    images[:, 20, 10] = 1
    output = seen(weak_view(settings, (0, 1)), images)
    rows, columns = (
        (output.sum(axis=axis)[..., 0] * np.arange(41)).sum(axis=-1)
        / output.sum(axis=(1, 2, 3))
        for axis in (2, 1)
    )
    turned = columns > 20
    assert turned.mean() == pytest.approx(0.5 if flip else 0, abs=0.1)
    shifts = rows - 20, np.where(turned, 40 - columns, columns) - 10
    for shift in shifts:
        # By 4.5 % of 41 pixels on average, two times out of two or none.
        assert 0.5 < shift.std() < 4
        assert abs(shift.mean()) < 0.5
        assert np.abs(shift).max() < 12


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_images_of_every_dtype_keep_their_values(dtype):
    images = LEVELS.astype(dtype)
    settings = {**NOTHING, "flip": True, "ops": ["identity"], "num_ops": 2}
    output = seen(strong_view(settings, (0, 255)), images)
    np.testing.assert_array_equal(
        np.sort(output, axis=2), np.sort(images, axis=2)
    )
