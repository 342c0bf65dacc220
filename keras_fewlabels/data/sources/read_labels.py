import numpy as np

from keras_fewlabels.data.checks import check_finite, check_sample_weight
from keras_fewlabels.data.sources.datasets import read_elements


def read_labels(stream):
    """Reads a labelled dataset, and checks what it holds.

    Args:
        stream: `tf.data.Dataset` of single labelled images, perhaps with
            sample weights.

    Returns:
        Array of labels, and array of sample weights or `None`.

    Raises:
        ValueError: If there is no image, an image has a value that is not
            finite, the labels differ in shape, or a weight is not finite or
            negative.
    """
    labels, weights = [], []
    for number, element in enumerate(read_elements(stream, "labeled")):
        image, label, *weight = map(np.asarray, element)
        check_finite(image[None], "labeled", number)
        labels.append(label)
        weights.extend(weight)
    if not labels:
        raise ValueError(
            "`labeled` must hold at least one image. Received: a dataset "
            "without elements"
        )
    shapes = {label.shape for label in labels}
    if len(shapes) > 1:
        raise ValueError(
            "All labels of `labeled` must have the same shape, a class number "
            f"or a row with a column per class. Received: {sorted(shapes)}"
        )
    if not weights:
        return np.stack(labels), None
    weights = np.stack(weights)
    check_sample_weight(weights, len(labels))
    return np.stack(labels), weights
