"""Classes of a selection made equally frequent."""

import numpy as np

from keras_fewlabels.policies.top_per_class import TopPerClass


def balance_classes(labels, confidence, balance, random):
    """Chooses images so that every class present counts the same.

    Args:
        labels: Int array of shape `(num_images,)`, the class of each image,
            -1 for images that are not selected.
        confidence: Float array of shape `(num_images,)`.
        balance: `None`, which takes each selected image once; `"repeat"`,
            which repeats images of rare classes up to the largest class, as
            in the tutorials of Noisy Student; `"truncate"`, which takes as
            many images of each class as the rarest one has; or a
            `TopPerClass`, which takes the most confident ones.
        random: `np.random.Generator` that decides which images are repeated
            or left out, where confidence does not.

    Returns:
        Int array with the numbers of the chosen images.
    """
    if balance is None:
        return np.flatnonzero(labels >= 0).astype("int32")
    groups = [
        random.permutation(np.flatnonzero(labels == number))
        for number in np.unique(labels[labels >= 0])
    ]
    if not groups:
        return np.empty(0, dtype="int64")
    if isinstance(balance, TopPerClass):
        # Images of the same confidence stay in random order.
        groups = [
            group[np.argsort(-confidence[group], kind="stable")]
            for group in groups
        ]
        return balance.choose(groups)
    sizes = [len(group) for group in groups]
    if balance == "repeat":
        groups = [np.resize(group, max(sizes)) for group in groups]
    else:
        groups = [group[: min(sizes)] for group in groups]
    return np.concatenate(groups)


def top_share(confidence, share):
    """Marks the most confident images.

    Args:
        confidence: Float array of shape `(num_images,)`.
        share: Float in `[0, 1]`, how large a part to mark.

    Returns:
        Boolean array of shape `(num_images,)` with
        `round(share * num_images)` true values; of equal confidences the
        first ones.
    """
    marked = np.zeros(len(confidence), bool)
    surest_first = np.argsort(-confidence, kind="stable")
    marked[surest_first[: round(share * len(confidence))]] = True
    return marked
