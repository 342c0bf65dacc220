"""What the logits of linear heads mean: one class is true, or several are.

All functions on heads are written once, for the kinds that are here.
"""

import numpy as np

_MAX_FOLDS = 5
# Of what arrives at an image, next to nothing.
_LEAST_MASS = 1e-9
# Of logits, and how often this range is halved to find a shift.
_MAX_SHIFT, _NUM_HALVINGS = 20.0, 30


class SoftmaxKind:
    """One class is true of each image, and a softmax reads all logits."""

    # The bound of the loss's second derivative by the logits of an image.
    curvature = 1 / 2

    def probabilities(self, logits):
        """Returns the probabilities that logits mean, of the same shape."""
        return softmax(logits)

    def logits(self, probabilities):
        """Returns logits that mean given probabilities."""
        return np.log(np.maximum(probabilities, 1e-12))

    def log_likelihood(self, logits, targets):
        """Returns the logarithm of the probability of each image's labels.

        Args:
            logits: Float array of shape `(num_images, num_classes)`.
            targets: Float array likewise, from 0 to 1.

        Returns:
            Float array of shape `(num_images,)`.
        """
        probabilities = np.maximum(softmax(logits), 1e-12)
        return np.sum(targets * np.log(probabilities), axis=1)

    def sharpened(self, probabilities):
        """Returns squared probabilities, which sum up to 1 again."""
        squares = probabilities**2
        return squares / squares.sum(axis=-1, keepdims=True)

    def confidence(self, probabilities):
        """Returns how sure the predictions are, `(num_images,)` floats."""
        return probabilities.max(axis=1)

    def are_right(self, logits, targets):
        """Returns whether each decision is right, a boolean array.

        Its shape is `(num_images,)`, or `(num_images, num_classes)` where
        several classes may be true.
        """
        return logits.argmax(axis=1) == targets.argmax(axis=1)

    def spread(self, graph, targets, is_known):
        """Lets probabilities spread to the neighbours of images.

        Args:
            graph: `NeighborGraph`.
            targets: Float array `(num_images, num_classes)`, zeros where they
                are not known.
            is_known: Boolean array `(num_images,)`.

        Returns:
            Float array likewise, probabilities.
        """
        return graph.spread(targets)

    def shift(self, logits, shares):
        """Returns what to add to logits, so that classes stay as frequent.

        Args:
            logits: Float array `(num_images, num_classes)`.
            shares: Float array `(num_classes,)`, the mean probabilities that
                a sigmoid of each is to have. A softmax needs no shift: what
                one class loses, others gain.
        """
        return np.zeros_like(shares)

    def is_unknown(self, targets):
        """Returns of which classes the targets teach nothing, booleans."""
        return targets.sum(axis=0) == 0

    def bias_of_unknown(self, targets, biases):
        """Returns the bias of such classes.

        Args:
            targets: Float array `(num_images, num_unknown)`, theirs alone.
            biases: Float array `(num_classes,)`, those of all classes.
        """
        return biases.min() - 30

    def groups(self, targets):
        """Returns the number of the group that each image is one of.

        Images of a group have something in common.
        """
        return targets.argmax(axis=1)

    def folds(self, targets, seed):
        """Divides images, so that each part has some of each class.

        Args:
            targets: Float array `(num_images, num_classes)`.
            seed: Int.

        Returns:
            Int array `(num_images,)`, the number of each image's part, or
            `None` if they cannot be divided.
        """
        classes = targets.argmax(axis=1)
        counts = np.bincount(classes)
        if counts[counts > 0].min() < 2:
            return None
        num_folds = min(_MAX_FOLDS, counts.max())
        order = np.random.default_rng(seed).permutation(len(classes))
        folds = np.empty(len(classes), int)
        for number in np.unique(classes):
            of_class = order[classes[order] == number]
            folds[of_class] = np.arange(len(of_class)) % num_folds
        return folds


class SigmoidKind(SoftmaxKind):
    """Several classes may be true, and a sigmoid reads each logit by itself.

    A head is then as many logistic regressions as there are classes.
    """

    curvature = 1 / 4

    def probabilities(self, logits):
        return np.exp(-np.logaddexp(0, -logits))

    def logits(self, probabilities):
        return np.log(np.maximum(probabilities, 1e-12)) - np.log(
            np.maximum(1 - probabilities, 1e-12)
        )

    def log_likelihood(self, logits, targets):
        logits = logits.astype("float64")
        return np.sum(targets * logits - np.logaddexp(0, logits), axis=1)

    def sharpened(self, probabilities):
        squares = probabilities**2
        return squares / (squares + (1 - probabilities) ** 2)

    def confidence(self, probabilities):
        return np.maximum(probabilities, 1 - probabilities).mean(axis=1)

    def are_right(self, logits, targets):
        return (logits > 0) == (targets > 0.5)

    def spread(self, graph, targets, is_known):
        mass = graph.mass(np.column_stack([targets, is_known]))
        # An image that nothing arrives at is like all others.
        shares = targets[is_known].mean(axis=0)
        return (mass[:, :-1] + _LEAST_MASS * shares) / (
            mass[:, -1:] + _LEAST_MASS
        )

    def shift(self, logits, shares):
        low, high = np.full_like(shares, -_MAX_SHIFT), _MAX_SHIFT
        for _ in range(_NUM_HALVINGS):
            middle = (low + high) / 2
            found = self.probabilities(logits + middle).mean(axis=0)
            low = np.where(found < shares, middle, low)
            high = np.where(found < shares, high, middle)
        return (low + high) / 2

    def is_unknown(self, targets):
        # Those that are true of no image, or of all.
        return (targets == 0).all(axis=0) | (targets == 1).all(axis=0)

    def bias_of_unknown(self, targets, biases):
        # As if half an image more had each of the two answers.
        num_true = targets.sum(axis=0)
        return np.log((num_true + 0.5) / (len(targets) - num_true + 0.5))

    def groups(self, targets):
        # Images of no label are labelled, too.
        return np.zeros(len(targets), int)

    def folds(self, targets, seed):
        if len(targets) < 2:
            return None
        order = np.random.default_rng(seed).permutation(len(targets))
        folds = np.empty(len(targets), int)
        num_folds = min(_MAX_FOLDS, len(targets))
        folds[order] = _even_folds(targets[order] > 0.5, num_folds)
        return folds


SOFTMAX, SIGMOIDS = SoftmaxKind(), SigmoidKind()


def kind_of(scores):
    """Returns the kind of the heads of a classifier.

    Args:
        scores: `ClassScores`. The head of one sigmoid unit has two classes.
    """
    return SOFTMAX if scores.one_true else SIGMOIDS


def softmax(scores):
    """Returns the softmax over the last axis."""
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return scores / scores.sum(axis=-1, keepdims=True)


def _even_folds(truth, num_folds):
    """Divides images, so that each label is as even as can be.

    The images of the rarest label that is left are dealt out first, each to
    the part that lacks most of this label, or else most images.

    Reference:
        - [Sechidis et al., 2011](https://doi.org/10.1007/978-3-642-23808-6_10),
          iterative stratification.

    Args:
        truth: Boolean array of shape `(num_images, num_labels)`.
        num_folds: Int.

    Returns:
        Int array of shape `(num_images,)`.
    """
    folds = np.full(len(truth), -1)
    # Counted as a label of all images, which is the most frequent one.
    truth = np.column_stack([truth, np.ones(len(truth), bool)])
    lacking = np.tile(truth.sum(axis=0) / num_folds, (num_folds, 1))
    while (folds < 0).any():
        left = truth[folds < 0].sum(axis=0)
        rarest = np.argmin(np.where(left > 0, left, len(truth) + 1))
        for image in np.flatnonzero((folds < 0) & truth[:, rarest]):
            place = np.lexsort([lacking[:, -1], lacking[:, rarest]])[-1]
            folds[image] = place
            lacking[place] -= truth[image]
    return folds
