"""The nearest neighbours of images in the features of a model."""

import numpy as np

# The number of similarities that are in memory at once.
_PIECE = 2**22


def neighbor_votes(features, votes, weights, num_queries, num_neighbors):
    """Returns the class probabilities of each image by its neighbours.

    Args:
        features: Float array of shape `(num_images, num_features)`.
        votes: Float array of shape `(num_images, num_classes)`, the class
            probabilities of each image as a neighbour.
        weights: Float array of shape `(num_images,)`, the weight of each
            neighbour, which is multiplied by the square of the cosine to it.
        num_queries: Int, the number of images, from the first on, that the
            result is computed for.
        num_neighbors: Int, the number of neighbours. If there are fewer
            images, all of them are neighbours.

    Returns:
        Float32 array of shape `(num_queries, num_classes)`, rows that sum to
        1.

    Raises:
        ValueError: If there is only one image.
    """
    count = min(num_neighbors, len(features) - 1)
    if count < 1:
        raise ValueError(
            "There must be two images or more for one to have neighbours. "
            "Received: one image"
        )
    indices, cosines = nearest_neighbors(
        centred_directions(features), count, num_queries
    )
    # Never 0, so that the weights of an image without similar ones add up.
    weights = weights[indices] * (np.maximum(cosines, 0) ** 2 + 1e-6)
    weights = weights / weights.sum(axis=1, keepdims=True)
    means = np.zeros((num_queries, votes.shape[1]), "float32")
    for place in range(count):
        means += weights[:, place, None] * votes[indices[:, place]]
    return np.minimum(means, 1)


def nearest_neighbors(directions, count, num_queries=None):
    """Returns the most similar other rows of each row, by cosine.

    Args:
        directions: Float array of shape `(num_images, num_features)`, rows of
            length 1, as `centred_directions` returns them.
        count: Int, the number of neighbours, less than `num_images`.
        num_queries: Optional int, the number of rows, from the first on, that
            the result is computed for.

    Returns:
        `(indices, similarities)`, arrays of shape `(num_queries, count)`, in
        no particular order. A row is not a neighbour of itself.
    """
    num_images = len(directions)
    num_queries = num_images if num_queries is None else num_queries
    size = max(1, _PIECE // num_images)
    indices, similarities = [], []
    for first in range(0, num_queries, size):
        queries = directions[first : min(first + size, num_queries)]
        cosines = queries @ directions.T
        itself = np.arange(len(queries))
        cosines[itself, first + itself] = -np.inf
        nearest = np.argpartition(-cosines, count - 1, axis=1)
        # A view would keep the indices of all images in memory.
        nearest = nearest[:, :count].copy()
        indices.append(nearest)
        similarities.append(np.take_along_axis(cosines, nearest, axis=1))
    return np.concatenate(indices), np.concatenate(similarities)


def centred_directions(features):
    """Returns directions of features from their mean, rows of length 1.

    Args:
        features: Array of shape `(num_images, num_features)`.
    """
    centred = np.asarray(features, "float32")
    centred = centred - centred.mean(axis=0)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    # A row at the mean has no direction, and no similar rows.
    return centred / np.maximum(lengths, 1e-12)
