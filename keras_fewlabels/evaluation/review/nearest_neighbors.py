"""Which images a model sees as alike, and what they say of each other."""

import numpy as np

# How many similarities are held at once.
_PIECE = 2**25


def neighbor_votes(features, votes, weights, num_queries, num_neighbors):
    """What the nearest neighbours of each image say of its class.

    Args:
        features: Float array of shape `(num_images, num_features)`.
        votes: Float array of shape `(num_images, num_classes)`, what each
            image says.
        weights: Float array of shape `(num_images,)`, how much it counts,
            beside the square of the cosine to it.
        num_queries: Int: only for so many images, the first ones.
        num_neighbors: Int, of how many neighbours, or of all if there are
            fewer.

    Returns:
        Float32 array of shape `(num_queries, num_classes)`, rows that sum to
        1.

    Raises:
        ValueError: If there is only one image.
    """
    count = min(num_neighbors, len(features) - 1)
    if count < 1:
        raise ValueError(
            "Neighbours are needed: at least two images. Received: one"
        )
    indices, cosines = nearest_neighbors(
        centred_directions(features), count, num_queries
    )
    # Never 0, so that images without any like them have a vote at all.
    weights = weights[indices] * (np.maximum(cosines, 0) ** 2 + 1e-6)
    weights = weights / weights.sum(axis=1, keepdims=True)
    found = np.zeros((num_queries, votes.shape[1]), "float32")
    for place in range(count):
        found += weights[:, place, None] * votes[indices[:, place]]
    return np.minimum(found, 1)


def nearest_neighbors(directions, count, num_queries=None):
    """The most similar others of each row, by cosine.

    Args:
        directions: Float array of shape `(num_images, num_features)`, rows of
            length 1, as `centred_directions` gives them.
        count: Int, how many neighbours each row has; less than `num_images`.
        num_queries: Optional int: only for so many rows, the first ones.

    Returns:
        `(indices, similarities)`, arrays of shape `(num_queries, count)`, in
        no order. A row is no neighbour of itself.
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
        found = np.argpartition(-cosines, count - 1, axis=1)
        # A view would keep the places of all images in memory.
        found = found[:, :count].copy()
        indices.append(found)
        similarities.append(np.take_along_axis(cosines, found, axis=1))
    return np.concatenate(indices), np.concatenate(similarities)


def centred_directions(features):
    """Features as directions from their mean, float32 rows of length 1.

    Args:
        features: Array of shape `(num_images, num_features)`.
    """
    centred = np.asarray(features, "float32")
    centred = centred - centred.mean(axis=0)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    # A row at the mean has no direction, and is like no other.
    return centred / np.maximum(lengths, 1e-12)
