"""Selections out of all pseudo-labels of a pool of images."""

import dataclasses

import keras
import numpy as np

from keras_fewlabels.foundation import check_int


@keras.saving.register_keras_serializable(package="keras_fewlabels")
@dataclasses.dataclass(frozen=True)
class TopPerClass:
    """Selects the most confident images of each class, equally many of each.

    The selection of Noisy Student: of every class at most `num_per_class`
    images, the most confident ones; where a class has fewer, they are
    repeated up to that number. A policy judges each image by itself, but this
    compares all unlabelled images with each other. Pass it to
    `callbacks.PseudoLabeler` as `balance`, beside a policy.

    Reference:
        - [Xie et al., 2019](https://arxiv.org/abs/1911.04252): 130,000 images
          per class of ImageNet, above a confidence of 0.3.

    Args:
        num_per_class: Positive int, how often each class is selected.

    Raises:
        ValueError: If `num_per_class` is not a positive int.

    Example:

    >>> selection = keras_fewlabels.policies.TopPerClass(2)
    >>> cats, dogs = np.array([7, 2, 9]), np.array([4])
    >>> selection.choose([cats, dogs])
    array([7, 2, 4, 4])
    """

    num_per_class: int

    def __post_init__(self):
        check_int(self.num_per_class, "num_per_class")

    def choose(self, groups):
        """Selects images by cutting and repeating the groups of all classes.

        Args:
            groups: List with an int array for each class: the numbers of its
                images, the most confident one first, none of them empty.

        Returns:
            Int array of shape `(num_groups * num_per_class,)` with the
            numbers of the selected images.
        """
        size = self.num_per_class
        return np.concatenate(
            [np.resize(group[:size], size) for group in groups]
        )

    def get_config(self):
        return {"num_per_class": self.num_per_class}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def balance_classes(labels, confidence, balance, random):
    """Selects images so that every class present counts the same.

    Args:
        labels: Int array of shape `(num_images,)`, the class of each image,
            -1 for images without a pseudo-label.
        confidence: Float array of shape `(num_images,)`.
        balance: `None`, which takes each labelled image once; `"repeat"`,
            which repeats images of rare classes up to the largest class, as
            in the tutorials of Noisy Student; `"truncate"`, which takes as
            many images of each class as the rarest one has; or a
            `TopPerClass`, which takes the most confident ones.
        random: `np.random.Generator` that decides which images are repeated
            or left out, and the order of images of equal confidence.

    Returns:
        Int array with the numbers of the selected images.
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
        # A stable sort leaves images of equal confidence in random order.
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
        confidence: Float array of shape `(num_images,)`, or `(num_images,
            num_labels)` of several labels, each of which is marked by itself.
        share: Float in `[0, 1]`, the share of the images to mark.

    Returns:
        Boolean array of the same shape with `round(share * num_images)` true
        values, or as many for each label. Of images of equal confidence, the
        first ones are marked.
    """
    marked = np.zeros(confidence.shape, bool)
    surest_first = np.argsort(-confidence, axis=0, kind="stable")
    chosen = surest_first[: round(share * len(confidence))]
    np.put_along_axis(marked, chosen, True, axis=0)
    return marked
