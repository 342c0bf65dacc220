"""Labelled and pseudo-labelled images in one feed."""

from keras_fewlabels.data.batches.pseudo_labeled_batches import (
    PseudoLabeledBatches,
)
from keras_fewlabels.data.checks import (
    check_labels,
    check_same_images,
)
from keras_fewlabels.data.sources import is_dataset, labeled_arrays
from keras_fewlabels.foundation import check_bool, check_int, check_seed


def pseudo_labeled_data(
    labeled,
    unlabeled,
    *,
    batch_size,
    steps_per_epoch=None,
    shuffle=True,
    seed=None,
):
    """Joins labelled and pseudo-labelled images in one feed.

    Args:
        labeled: Pair of arrays `(images, labels)`, or a `tf.data.Dataset` or
            `PyDataset` of them.
        unlabeled: `ImageSource`.
        batch_size: Int, images per batch.
        steps_per_epoch: Optional int, batches per epoch.
        shuffle: Boolean.
        seed: Optional int.

    Returns:
        `PseudoLabeledBatches` of arrays, otherwise `PseudoLabeledStreams`.

    Raises:
        ValueError: If labelled and unlabelled images differ in shape or
            dtype, or the labels are neither class numbers nor one-hot.
    """
    check_int(batch_size, "batch_size")
    check_int(steps_per_epoch, "steps_per_epoch", optional=True)
    check_bool(shuffle, "shuffle")
    check_seed(seed)
    if not is_dataset(labeled):
        labeled = labeled_arrays(labeled, "labeled", in_memory=False)
    if is_dataset(labeled) or is_dataset(unlabeled.images):
        from keras_fewlabels.data.batches.pseudo_labeled_streams import (
            PseudoLabeledStreams,
        )

        mixed = PseudoLabeledStreams
    else:
        check_same_images(labeled[0], unlabeled.images)
        mixed = PseudoLabeledBatches
    feed = mixed(
        labeled,
        unlabeled,
        batch_size=batch_size,
        num_steps=steps_per_epoch,
        shuffle=shuffle,
        seed=seed,
    )
    check_labels(feed.labels, "labels of labeled", one_true=None)
    return feed
