import numpy as np

_NUM_STEPS = 200
# Of the squared weights, beside the sum of losses over all labels. Features
# are scaled to a mean length of 1.
_PENALTY = 1 / 30
# The number of values of features that are in memory at once.
_PIECE = 2**23


def softmax_head_predictions(features, labels, chosen, queries, num_classes):
    """Returns the predictions of linear heads, each fitted to a few labels.

    Each head is a logistic regression with a small penalty, fitted in
    full-batch steps with Nesterov's momentum, so that nothing is random. All
    heads are fitted at once.

    Args:
        features: Float array of shape `(num_labeled, num_features)`.
        labels: Int array of shape `(num_labeled,)`.
        chosen: Int array of shape `(num_heads, size)`, the labelled features
            that each head is fitted to.
        queries: Float array of shape `(num_queries, num_features)`.
        num_classes: Int.

    Returns:
        Int array of shape `(num_heads, num_queries)`, the predicted classes.
        A head does not predict a class of which it has no label.
    """
    size = max(1, _PIECE // (chosen.shape[1] * features.shape[1]))
    pieces = np.split(chosen, range(size, len(chosen), size))
    return np.concatenate(
        [
            _fit(features[piece], labels[piece], queries, num_classes)
            for piece in pieces
        ]
    )


def _fit(features, labels, queries, num_classes):
    """Fits heads to features of shape `(num_heads, size, num_features)`."""
    size = labels.shape[1]
    mean = features.mean(axis=1, keepdims=True)
    centred = np.asarray(features - mean, "float64")
    length = np.mean(np.sum(centred**2, axis=2, keepdims=True), axis=1)
    scale = np.maximum(np.sqrt(length)[..., None], 1e-12)
    # One coordinate per label is enough, and a constant one.
    axes = np.linalg.svd(centred, full_matrices=False)[2].swapaxes(1, 2)
    inputs = _with_constant(centred @ axes / scale)
    targets = np.eye(num_classes)[labels]
    penalty = np.full((inputs.shape[2], 1), _PENALTY / size)
    penalty[-1] = 0
    largest = np.linalg.norm(inputs, ord=2, axis=(1, 2)) ** 2 / size
    step = 1 / (largest[:, None, None] / 2 + _PENALTY / size)
    weights = before = np.zeros((len(inputs), inputs.shape[2], num_classes))
    transposed = inputs.swapaxes(1, 2) / size
    for number in range(_NUM_STEPS):
        ahead = weights + number / (number + 3) * (weights - before)
        wrong = _softmax(inputs @ ahead) - targets
        slope = transposed @ wrong + penalty * ahead
        before, weights = weights, ahead - step * slope
    scores = _with_constant((queries - mean) @ axes / scale) @ weights
    absent = targets.sum(axis=1, keepdims=True) == 0
    return np.where(absent, -np.inf, scores).argmax(axis=2)


def _with_constant(inputs):
    ones = np.ones((*inputs.shape[:2], 1))
    return np.concatenate([inputs, ones], axis=2)


def _softmax(scores):
    scores = np.exp(scores - scores.max(axis=2, keepdims=True))
    return scores / scores.sum(axis=2, keepdims=True)
