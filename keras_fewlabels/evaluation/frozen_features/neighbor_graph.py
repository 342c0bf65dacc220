"""The nearest neighbours of images, and labels that spread among them."""

import numpy as np

_NUM_NEIGHBORS = 10
# How much of its neighbours' labels an image takes over in a step.
_SHARE = 0.8
_NUM_STEPS = 30
# The number of values that are in memory at once.
_PIECE = 2**22


class NeighborGraph:
    """The graph of the nearest neighbours among rows of features.

    Two images are joined if one is among the ten nearest of the other, by the
    angle between their features.

    Reference:
        - [Zhou et al., 2004](https://proceedings.neurips.cc/paper/2003/hash/87682805257e619d49b8e0dfdc14affa-Abstract.html),
          label spreading.

    Args:
        features: Float array of shape `(num_images, num_features)`.
    """

    def __init__(self, features):
        # In half precision the squares of features soon have no number.
        features = np.asarray(features, "float32")
        lengths = np.linalg.norm(features, axis=1, keepdims=True)
        features = features / np.maximum(lengths, 1e-12)
        count = min(_NUM_NEIGHBORS, len(features) - 1)
        near, similarity = _nearest(features, count)
        rows = np.repeat(np.arange(len(features)), count)
        pairs = np.stack([rows, near.reshape(-1)])
        weights = np.tile(similarity.reshape(-1), 2)
        # Each pair in both directions, once.
        pairs = np.concatenate([pairs, pairs[::-1]], axis=1)
        keys, first = np.unique(
            pairs[0] * len(features) + pairs[1], return_index=True
        )
        rows, self._near = keys // len(features), keys % len(features)
        weights = weights[first]
        degree = np.bincount(rows, weights, minlength=len(features))
        scale = 1 / np.sqrt(np.maximum(degree, 1e-12))
        weights = weights * scale[rows] * scale[self._near]
        self._weights = weights.astype("float32")[:, None]
        self._starts = np.searchsorted(rows, np.arange(len(features)))
        self._is_alone = np.bincount(rows, minlength=len(features)) == 0

    def spread(self, targets):
        """Lets labels spread to the neighbours of images.

        Args:
            targets: Float array of shape `(num_images, num_classes)`. Rows of
                images without a label are zeros, or what a model predicts.

        Returns:
            Float array likewise, rows of probabilities.
        """
        spread = self.mass(targets) + 1e-9
        return spread / spread.sum(axis=1, keepdims=True)

    def mass(self, targets):
        """Returns how much of each label arrives at each image.

        Args:
            targets: Float array of shape `(num_images, num_columns)`.

        Returns:
            Float32 array likewise. An image that no path joins to a label has
            none of it.
        """
        size = max(1, _PIECE // max(1, len(self._near)))
        pieces = np.split(
            targets.astype("float32"),
            range(size, targets.shape[1], size),
            axis=1,
        )
        return np.concatenate(list(map(self._spread, pieces)), axis=1)

    def neighbors(self, image):
        """Returns the numbers of the images that an image is joined to."""
        end = len(self._near)
        if image + 1 < len(self._starts):
            end = self._starts[image + 1]
        return self._near[self._starts[image] : end]

    def _spread(self, given):
        labels = given
        if not len(self._near):
            return labels
        for _ in range(_NUM_STEPS):
            sums = np.add.reduceat(
                self._weights * labels[self._near],
                np.minimum(self._starts, len(self._near) - 1),
                axis=0,
            )
            sums[self._is_alone] = 0
            labels = _SHARE * sums + (1 - _SHARE) * given
        return labels


def _nearest(features, count):
    """Returns the numbers of the nearest images, and weights of the pairs."""
    size = max(1, _PIECE // len(features))
    near, weights = [], []
    for start in range(0, len(features), size):
        similarity = features[start : start + size] @ features.T
        rows = np.arange(len(similarity))
        similarity[rows, rows + start] = -np.inf
        found = np.argpartition(-similarity, count - 1, axis=1)
        # A view would keep the numbers of all images in memory.
        found = found[:, :count].copy()
        near.append(found)
        found = np.take_along_axis(similarity, found, axis=1)
        # The third power lets near ones count more than half-near ones.
        weights.append(np.maximum(found, 0) ** 3)
    return np.concatenate(near), np.concatenate(weights)
