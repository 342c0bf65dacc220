"""True and pseudo-labels in one dataset, whatever they come from."""

from keras_fewlabels.data.batches.pseudo_labeled_batches import (
    PseudoLabeledBatches,
)
from keras_fewlabels.data.checks.images import (
    as_array,
    check_images,
    check_same_images,
)
from keras_fewlabels.data.checks.labels import check_labels
from keras_fewlabels.data.sources.unlabeled_source import is_dataset


def pseudo_labeled_data(
    labeled, unlabeled, batch_size, steps_per_epoch, shuffle, seed
):
    """Puts labelled and unlabelled images into one feed.

    Args:
        labeled: Pair of arrays `(images, labels)`, or a `tf.data.Dataset` or
            `PyDataset` of them.
        unlabeled: `UnlabeledArray` or `UnlabeledStream`.
        batch_size: Int, images per batch.
        steps_per_epoch: Optional int, batches per epoch.
        shuffle: Boolean.
        seed: Optional int.

    Returns:
        `PseudoLabeledBatches` of arrays, otherwise `PseudoLabeledStreams`.

    Raises:
        ValueError: If labelled and unlabelled images do not go together, or
            the labels are neither class numbers nor one-hot.
    """
    for name, number in (
        ("batch_size", batch_size),
        ("steps_per_epoch", 1 if steps_per_epoch is None else steps_per_epoch),
    ):
        if not isinstance(number, int) or number < 1:
            raise ValueError(
                f"`{name}` must be a positive int. Received: {name}={number!r}"
            )
    how = batch_size, steps_per_epoch, shuffle, seed
    if not is_dataset(labeled):
        labeled = _arrays(labeled)
    if not is_dataset(labeled) and not is_dataset(unlabeled.source):
        check_same_images(labeled[0], unlabeled.source)
        return PseudoLabeledBatches(*labeled, unlabeled.source, *how)
    from keras_fewlabels.data.batches.pseudo_labeled_streams import (
        PseudoLabeledStreams,
    )

    streams = PseudoLabeledStreams(
        labeled, unlabeled.source, len(unlabeled), *how
    )
    check_labels(streams.labels, "labels of labeled")
    return streams


def _arrays(labeled):
    if not isinstance(labeled, (tuple, list)) or len(labeled) != 2:
        raise ValueError(
            "`labeled` must be a pair (images, labels) of arrays, or a "
            "dataset of such pairs. Received: "
            f"{_described(labeled)}"
        )
    images, labels = (as_array(part, "labeled") for part in labeled)
    check_images(images, "labeled")
    check_labels(labels, "labels of labeled", num_images=len(images))
    return images, labels


def _described(labeled):
    name = type(labeled).__name__
    return f"{name} of {len(labeled)}" if hasattr(labeled, "__len__") else name
