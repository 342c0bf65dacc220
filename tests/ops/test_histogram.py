import numpy as np
from keras import ops

from keras_fewlabels.ops.histogram import (
    autocontrast_table,
    equalize_table,
    histogram,
)


def test_histogram_counts_per_image_and_channel():
    images = np.random.default_rng(0).integers(0, 256, (3, 9, 7, 3), "uint8")
    counts = ops.convert_to_numpy(histogram(images))
    for image, rows in zip(images, counts, strict=True):
        for channel, row in enumerate(rows):
            expected = np.bincount(image[..., channel].ravel(), minlength=256)
            np.testing.assert_array_equal(row, expected)


def test_autocontrast_rounds_as_doubles_do_for_every_pair_of_levels():
    lowest, highest = np.triu_indices(256, 1)
    level = np.arange(256)
    images = np.clip(level, lowest[:, None], highest[:, None])
    images = images.astype("uint8")[:, None, :, None]
    output = ops.convert_to_numpy(autocontrast_table(images))[..., 0, 0]
    scale = 255.0 / (highest - lowest)
    expected = np.trunc(level * scale[:, None] - (lowest * scale)[:, None])
    np.testing.assert_array_equal(output, np.clip(expected, 0, 255))


def test_single_level_stays():
    images = np.full((1, 4, 4, 1), 77, "uint8")
    for table in (autocontrast_table, equalize_table):
        output = ops.convert_to_numpy(table(images))[0, :, 0, 0]
        np.testing.assert_array_equal(output, np.arange(256))
