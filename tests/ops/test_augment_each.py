import numpy as np
import pytest
from keras import ops

from keras_fewlabels.ops.augment_each import augment_each
from keras_fewlabels.ops.augment_merged import augment_merged


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_equals_the_merged_form(drawn_inputs, interpolation):
    each = augment_each(*drawn_inputs, interpolation=interpolation)
    merged = augment_merged(*drawn_inputs, interpolation=interpolation)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(each), ops.convert_to_numpy(merged)
    )
