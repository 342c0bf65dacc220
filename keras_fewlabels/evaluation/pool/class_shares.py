import dataclasses

import numpy as np

from keras_fewlabels.evaluation.frozen_features.head_kinds import softmax

# How many labelled images of a class it takes until what they say about its
# confusions counts as much as the assumption that these go both ways alike.
# Measured on flowers, waste, steel and hands, also with uneven classes: the
# shares are off by 2.3 points on average with 10 labels per class, and by 4.4
# without the assumption; and by 2.2 with 25, and by 2.3 with nothing else.
_NUM_ASSUMED = 300
# The draws of confusions vary as much as those of this part of the labelled
# images that there are and are assumed. On the same photographs 94 to 96 % of
# the intervals hold the true shares.
_EFFECTIVE = 0.1
_NUM_DRAWS = 200
_NUM_STEPS = 100
# A class with a smaller part of an even share is missing.
_MISSING = 0.1


@dataclasses.dataclass(frozen=True)
class ClassShares:
    """The shares of the classes in a set of images.

    Args:
        shares: Float array of shape `(num_classes,)`, which sums to 1.
        intervals: Float array of shape `(num_classes, 2)`, the 95 % interval
            of each share.
    """

    shares: np.ndarray
    intervals: np.ndarray

    @property
    def missing(self):
        """List of the classes that there seems to be no image of."""
        return np.flatnonzero(
            self.shares * len(self.shares) < _MISSING
        ).tolist()


def shares_by(classifier, images, classes, seed=0):
    """Estimates the shares of classes by a self-trained head.

    Args:
        classifier: `FeatureClassifier`.
        images: Float array `(num_images, num_features)`, at least one row.
        classes: Int array `(num_labeled,)`.
        seed: Int.

    Returns:
        `ClassShares`, or `None` if a class has a single label.
    """
    hidden = classifier.hidden_logits(self_trained=True, seed=seed)
    if hidden is None:
        return None
    probabilities = classifier.self_train().probabilities(images)
    return class_shares(probabilities, softmax(hidden), classes, seed)


def class_shares(probabilities, hidden, classes, seed=0):
    """Estimates the shares of classes by a classifier that makes mistakes.

    Which classes are taken for which is counted on labelled images in a
    cross-validation. As there are few of them, the counts are added to those
    of a classifier that takes as many images of a class for another one as
    the other way round, of which the predictions have the true shares. The
    shares are then those under which the predictions are likeliest. With few
    labels they are near the mean predictions, with many they are adjusted.

    The intervals hold the shares for confusions drawn around those that were
    counted, as in a bootstrap over the labelled images.

    References:
        - [Saerens et al., 2002](https://doi.org/10.1162/089976602753284446),
          adjustment by expectation maximization. Here of the mean
          predictions.
        - [Rubin, 1981](https://doi.org/10.1214/aos/1176345338), the Bayesian
          bootstrap.

    Args:
        probabilities: Float array `(num_images, num_classes)`, predictions
            for the images.
        hidden: Float array `(num_labeled, num_classes)`, predictions for
            labelled images by classifiers that did not learn their labels.
        classes: Int array `(num_labeled,)`.
        seed: Int.

    Returns:
        `ClassShares`.
    """
    num_classes = probabilities.shape[1]
    mean = np.asarray(probabilities, "float64").mean(axis=0)
    counted = np.zeros((num_classes, num_classes))
    np.add.at(counted.T, classes, hidden)
    confusion = counted + _NUM_ASSUMED * _symmetric(counted, mean)
    shares = _likeliest(confusion / confusion.sum(axis=0), mean)
    generator = np.random.default_rng(seed)
    draws = []
    for _ in range(_NUM_DRAWS):
        drawn = generator.gamma(np.maximum(_EFFECTIVE * confusion, 0.01))
        draws.append(_likeliest(drawn / drawn.sum(axis=0), mean))
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    intervals = [np.minimum(low, shares), np.maximum(high, shares)]
    return ClassShares(shares, np.stack(intervals, axis=1))


def _symmetric(counted, shares):
    """Returns a confusion by which predictions keep given shares.

    Args:
        counted: Float array `(num_classes, num_classes)`, images by predicted
            class (rows) and true class (columns).
        shares: Float array `(num_classes,)`.

    Returns:
        Float array likewise, with columns that sum to 1. As many images of a
        class are taken for another one as the other way round.
    """
    num_classes = len(shares)
    rates = counted + 0.5 / num_classes
    flows = rates / rates.sum(axis=0) * shares
    rates = (flows + flows.T) / 2 / np.maximum(shares, 1e-3)
    np.fill_diagonal(rates, 0)
    wrong = rates.sum(axis=0)
    rates = rates * np.minimum(1, 0.95 / np.maximum(wrong, 1e-12))
    return rates + np.diag(1 - rates.sum(axis=0))


def _likeliest(confusion, mean):
    """Returns the shares under which a confusion gives mean predictions."""
    shares = mean
    for _ in range(_NUM_STEPS):
        joint = confusion * shares
        joint = joint / np.maximum(joint.sum(axis=1, keepdims=True), 1e-300)
        shares = mean @ joint
    return shares / shares.sum()
