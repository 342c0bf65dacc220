import numpy as np
from keras import ops

from keras_fewlabels.ops.look_up import look_up


def test_each_image_and_channel_has_its_own_table():
    images = np.random.default_rng(0).integers(0, 256, (4, 5, 6, 3), "uint8")
    tables = np.random.default_rng(1).integers(0, 256, (4, 256, 1, 3))
    output = ops.convert_to_numpy(look_up(images, tables))
    for n, c in np.ndindex(4, 3):
        np.testing.assert_array_equal(
            output[n, ..., c], tables[n, :, 0, c][images[n, ..., c]]
        )
