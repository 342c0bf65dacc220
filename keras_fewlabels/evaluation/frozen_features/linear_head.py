"""Linear classifiers on features."""

import dataclasses

import numpy as np

from keras_fewlabels.evaluation.frozen_features.head_kinds import (
    SOFTMAX,
    SoftmaxKind,
)

# Of the squared weights, beside the sum of losses over all labels. Features
# are scaled to a mean length of 1.
PENALTY = 1 / 17
_NUM_STEPS = 150
# From weights that are nearly right.
_NUM_STEPS_ON = 40
# The directions of features that heads are fitted in. The others hold next to
# nothing of the features' length, and many times more numbers.
_NUM_AXES = 256


@dataclasses.dataclass(frozen=True)
class LinearHead:
    """The kernel and bias of a `Dense` layer that gives logits.

    Args:
        kernel: Float array of shape `(num_features, num_classes)`.
        bias: Float array of shape `(num_classes,)`.
        kind: `SOFTMAX` or `SIGMOIDS`, what the logits mean.
    """

    kernel: np.ndarray
    bias: np.ndarray
    kind: SoftmaxKind = SOFTMAX

    def probabilities(self, features):
        """Returns the class probabilities of rows of features."""
        return self.kind.probabilities(
            np.asarray(features, "float32") @ self.kernel + self.bias
        )

    def cooled(self, temperature):
        """Returns a head whose logits are divided by a temperature."""
        return dataclasses.replace(
            self, kernel=self.kernel / temperature, bias=self.bias / temperature
        )

    def mean_with(self, other):
        """Returns a head whose logits are the mean of those of two heads."""
        return dataclasses.replace(
            self,
            kernel=(self.kernel + other.kernel) / 2,
            bias=(self.bias + other.bias) / 2,
        )


class FeatureSpace:
    """Features in few coordinates, in which linear heads are fitted quickly.

    The coordinates are the principal components of the features, centred and
    scaled to a mean length of 1.

    Args:
        features: Float array of shape `(num_images, num_features)`.

    Attributes:
        coordinates: Float32 array of shape `(num_images, num_axes)`.
    """

    def __init__(self, features):
        features = np.asarray(features, "float32")
        self._mean = features.mean(axis=0)
        centred = features - self._mean
        length = np.sqrt(np.mean(np.sum(centred**2, axis=1)))
        self._scale = max(float(length), 1e-12)
        self._axes = _principal_axes(centred)
        self.coordinates = centred @ self._axes / self._scale

    def head(self, weights, kind=SOFTMAX):
        """Returns the `LinearHead` of weights that `fit_logistic` has found."""
        kernel = self._axes @ weights[:-1] / self._scale
        return LinearHead(kernel, weights[-1] - self._mean @ kernel, kind)

    def weights(self, head):
        """Returns the weights of a `LinearHead` in these coordinates."""
        kernel = self._scale * (self._axes.T @ head.kernel)
        return np.vstack([kernel, head.bias + self._mean @ head.kernel])


def fit_logistic(
    inputs,
    targets,
    counts=None,
    start=None,
    penalty=PENALTY,
    offsets=0.0,
    kind=SOFTMAX,
):
    """Fits a logistic regression to hard or soft targets.

    It is one of all classes, or one of each class if several may be true.

    It takes full-batch steps with Nesterov's momentum, so that nothing is
    random.

    Args:
        inputs: Float array of shape `(num_images, num_axes)`.
        targets: Float array of shape `(num_images, num_classes)`, rows of
            probabilities. A class without any target gets the lowest logits;
            where several may be true, one of no image or of all gets the same
            logit everywhere.
        counts: Optional float array of shape `(num_images,)`, how much each
            image counts. Defaults to 1.
        start: Optional weights to start from.
        penalty: Float, of the squared weights.
        offsets: Float array of shape `(num_images, num_classes)`, added to the
            logits in the fit alone.
        kind: `SOFTMAX` or `SIGMOIDS`, what the logits mean.

    Returns:
        Float array of shape `(num_axes + 1, num_classes)`: the weights, and
        the biases in the last row.
    """
    inputs = np.hstack([inputs, np.ones((len(inputs), 1))]).astype("float32")
    if counts is None:
        counts = np.ones(len(inputs))
    counts = counts.astype("float32")[:, None]
    targets = targets.astype("float32")
    shrink = np.full((inputs.shape[1], 1), penalty, "float32")
    shrink[-1] = 0
    moments = inputs.T @ (counts * inputs)
    step = 1 / (np.linalg.eigvalsh(moments)[-1] * kind.curvature + penalty)
    weights = np.zeros((inputs.shape[1], targets.shape[1]), "float32")
    if start is not None:
        weights = np.asarray(start, "float32")
    before = weights
    for number in range(_NUM_STEPS if start is None else _NUM_STEPS_ON):
        ahead = weights + number / (number + 3) * (weights - before)
        found = kind.probabilities(inputs @ ahead + offsets)
        wrong = counts * (found - targets)
        slope = inputs.T @ wrong + shrink * ahead
        before, weights = weights, ahead - step * slope
    unknown = kind.is_unknown(targets)
    if unknown.any():
        weights[:, unknown] = 0
        weights[-1, unknown] = kind.bias_of_unknown(
            targets[:, unknown], weights[-1]
        )
    return weights


def _principal_axes(centred):
    num_axes = min(_NUM_AXES, *centred.shape)
    if centred.shape[0] < centred.shape[1]:
        # One coordinate per image is enough.
        _, vectors = np.linalg.eigh(centred @ centred.T)
        axes = centred.T @ vectors[:, ::-1][:, :num_axes]
        lengths = np.linalg.norm(axes, axis=0)
        # What is left of the length is rounding.
        is_axis = lengths > 1e-3 * lengths[0]
        return axes[:, is_axis] / lengths[is_axis]
    _, vectors = np.linalg.eigh(centred.T @ centred)
    return vectors[:, ::-1][:, :num_axes]
