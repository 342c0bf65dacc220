import numpy as np

from keras_fewlabels.data.sources import image_source
from keras_fewlabels.data.sources.some_rows import SomeRows


def test_rows_are_read_as_those_of_an_array():
    images = np.arange(5 * 12, dtype="uint8").reshape(5, 2, 2, 3)
    rows = SomeRows(images, np.array([4, 1, 1]))
    assert (rows.shape, rows.dtype, len(rows)) == ((3, 2, 2, 3), "uint8", 3)
    for key in (0, slice(1, None), np.array([2, 0]), [True, False, True]):
        np.testing.assert_array_equal(rows[key], images[[4, 1, 1]][key])
    source = image_source(rows)
    np.testing.assert_array_equal(source.read(1, 5), images[[1, 1]])
