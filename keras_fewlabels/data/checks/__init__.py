"""Checks of images, labels and other arguments."""

from keras_fewlabels.data.checks.images import (
    as_array,
    check_finite,
    check_images,
    check_input_shape,
    check_same_images,
    check_values,
    is_array_like,
)
from keras_fewlabels.data.checks.labels import (
    check_label_form,
    check_labels,
    check_sample_weight,
    check_truth,
    class_numbers,
    is_multi_hot,
    is_one_hot,
)

__all__ = [
    "as_array",
    "check_finite",
    "check_images",
    "check_input_shape",
    "check_label_form",
    "check_labels",
    "check_same_images",
    "check_sample_weight",
    "check_truth",
    "check_values",
    "class_numbers",
    "is_array_like",
    "is_multi_hot",
    "is_one_hot",
]
