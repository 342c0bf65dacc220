import numpy as np
import pytest
from keras import ops

from keras_fewlabels.layers.rand_augment.tables import RANDAUGMENT
from keras_fewlabels.ops.augment_each import augment_each
from keras_fewlabels.ops.augment_grouped import augment_grouped
from keras_fewlabels.ops.augment_merged import augment_merged

NAMES = tuple(RANDAUGMENT)


def drawn_inputs(batch_size, num_ops, channels):
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (batch_size, 9, 8, channels), "uint8")
    # Every op at least once, each sign of each.
    drawn = np.arange(batch_size * num_ops) % len(NAMES)
    sign = generator.choice([-1, 1], drawn.shape)
    strength = [
        RANDAUGMENT[NAMES[i]].at(0.8, s)
        for i, s in zip(drawn, sign, strict=True)
    ]
    shape = (batch_size, num_ops)
    center = generator.uniform(size=(*shape, 2))
    return (
        images,
        NAMES,
        drawn.reshape(shape),
        np.float32(strength).reshape(shape),
        np.float32(center),
    )


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("form", [augment_each, augment_grouped])
def test_equals_the_merged_form(form, interpolation, channels):
    inputs = drawn_inputs(len(NAMES) * 2, 3, channels)
    found = form(*inputs, interpolation=interpolation)
    merged = augment_merged(*inputs, interpolation=interpolation)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(found), ops.convert_to_numpy(merged)
    )
