import numpy as np
import pytest
from keras import ops

from keras_fewlabels.ops.augment_grouped import augment_grouped
from keras_fewlabels.ops.augment_merged import augment_merged


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_equals_the_merged_form(drawn_inputs, interpolation):
    grouped = augment_grouped(*drawn_inputs, interpolation=interpolation)
    merged = augment_merged(*drawn_inputs, interpolation=interpolation)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(grouped), ops.convert_to_numpy(merged)
    )
