"""The last layer of a student, which is fitted and calibrated by itself."""

import contextlib

import keras
import numpy as np

from keras_fewlabels.evaluation.frozen_features.head_kinds import SOFTMAX
from keras_fewlabels.evaluation.frozen_features.linear_head import LinearHead
from keras_fewlabels.foundation import fingerprint, last_dense


def head_of(model, kind=SOFTMAX):
    """Returns the `LinearHead` of a model.

    That of one sigmoid unit has logits of 0 for the first of two classes.

    Args:
        model: Keras model with a last `Dense` layer.
        kind: `SOFTMAX` or `SIGMOIDS`, what its logits mean. It does not matter
            where no probabilities are asked for.
    """
    dense = last_dense(model)
    kernel, bias = map(keras.ops.convert_to_numpy, (dense.kernel, dense.bias))
    if len(bias) == 1:
        kernel = np.hstack([np.zeros_like(kernel), kernel])
        bias = np.append(np.zeros_like(bias), bias)
    return LinearHead(kernel, bias, kind)


def layers_fingerprint(model):
    """Returns a string that changes with the weights of all layers before."""
    head = {id(weight) for weight in last_dense(model).weights}
    return fingerprint(
        [
            keras.ops.convert_to_numpy(weight)
            for weight in model.weights
            if id(weight) not in head
        ]
    )


def set_head(model, head):
    """Gives the last `Dense` layer of a model the weights of a `LinearHead`.

    One sigmoid unit gets the difference of the two logits.
    """
    dense = last_dense(model)
    kernel, bias = head.kernel, head.bias
    if dense.units == 1:
        kernel, bias = kernel[:, 1:] - kernel[:, :1], bias[1:] - bias[:1]
    dense.kernel.assign(kernel)
    dense.bias.assign(bias)


@contextlib.contextmanager
def calibrated(student, temperature):
    """Opens a scope in which a student is calibrated.

    Phases learn from students as they are: with other confidences their
    pseudo-labels would be others.
    """
    if temperature is None:
        yield
        return
    head = head_of(student)
    calibrate(student, temperature)
    try:
        yield
    finally:
        set_head(student, head)


def calibrate(student, temperature):
    """Divides the logits of a student by a temperature, unless it is `None`."""
    if temperature is not None:
        set_head(student, head_of(student).cooled(temperature))
