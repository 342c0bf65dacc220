import numpy as np

from keras_fewlabels.data.batches import MixedBatches
from keras_fewlabels.data.checks import (
    as_array,
    check_labels,
    check_same_images,
    check_truth,
)
from keras_fewlabels.data.sources import (
    image_source,
    is_dataset,
    labeled_arrays,
)
from keras_fewlabels.foundation import (
    check_bool,
    check_int,
    check_positive,
    check_seed,
)


def mix_labeled_unlabeled(
    labeled,
    unlabeled,
    batch_size=64,
    unlabeled_ratio=1,
    shuffle=True,
    seed=None,
    truth=None,
):
    """Pairs every labelled batch with unlabelled images.

    This is the dataset that `NoisyStudentModel.fit()` takes. The two parts
    may have any two lengths: an epoch is one pass over the longer one,
    counted in batches, while the shorter one repeats. All batches are full,
    so that their shapes are static, as XLA and TPUs want them.

    Args:
        labeled: Pair of arrays `(images, labels)` of shapes
            `(num_images, height, width, channels)` and `(num_images,)` or
            `(num_images, num_classes)` (one-hot, or with several ones), or with
            a third array of sample weights `(num_images,)`; or a
            `tf.data.Dataset` or `keras.utils.PyDataset` of such tuples, batched
            or (tf.data) not.
        unlabeled: Array of images, `ImageFiles` on disk, or a dataset of
            images, with the image shape and dtype of `labeled`. The labelled
            images may be among them.
        batch_size: Int, the number of labelled images per batch.
        unlabeled_ratio: Number of unlabelled images per labelled one.
            FixMatch uses 7, Noisy Student 1 to 3 and more.
        shuffle: Boolean. Arrays are shuffled as a whole before each pass.
            Datasets are shuffled in a window of 1,024 images, so shuffle
            sorted files yourself.
        seed: Optional int that makes the order reproducible. By default it
            follows `keras.utils.set_random_seed`.
        truth: Optional int array of shape `(num_unlabeled,)`, the true
            classes of the unlabelled images in their order, if they are
            known; or rows of 0 and 1 as the labels. They are used for nothing
            but the logged accuracy of the pseudo-labels. A dataset must come in
            the same order in every pass, which is checked by reading it twice.

    Returns:
        A dataset of `(inputs, labels)`, or `(inputs, labels, sample_weight)`,
        with `batch_size` labelled and `round(batch_size * unlabeled_ratio)`
        unlabelled images. `inputs` is a dict of `"labeled"` and `"unlabeled"`
        images, the `"index"` of each unlabelled image in a pass over its
        source, and its
        `"truth"` if given. It is a `tf.data.Dataset` if one was given or on
        the TensorFlow backend, otherwise a `keras.utils.PyDataset`, which
        needs no TensorFlow. Its method `begin_epoch(epoch)` lets
        `callbacks.ExactBackup` repeat the order of an epoch. Datasets of
        unknown length are read once to count their images.

    Raises:
        ValueError: If a part is empty or infinite, the image shapes or dtypes
            differ, images hold NaN, labels are neither class numbers nor
            rows of a column per class, the unlabelled part comes with labels, a
            dataset holds images of several sizes, `truth` has another length,
            or belongs to a dataset that is shuffled anew in every pass.

    Example:

    >>> images = np.zeros((100, 8, 8, 1), "uint8")
    >>> dataset = keras_fewlabels.data.mix_labeled_unlabeled(
    ...     labeled=(images[:10], np.arange(10)),
    ...     unlabeled=images[10:],
    ...     batch_size=5,
    ...     unlabeled_ratio=3,
    ... )
    >>> len(dataset)  # 90 unlabelled images, 15 at a time
    6
    """
    check_int(batch_size, "batch_size")
    check_positive(
        unlabeled_ratio,
        "unlabeled_ratio",
        hint="It counts the unlabelled images per labelled one",
    )
    check_bool(shuffle, "shuffle")
    check_seed(seed)
    unlabeled_batch_size = round(batch_size * unlabeled_ratio)
    if unlabeled_batch_size < 1:
        raise ValueError(
            "A batch needs at least one labelled and one unlabelled image. "
            f"Received: batch_size={batch_size}, "
            f"unlabeled_ratio={unlabeled_ratio}"
        )
    if not is_dataset(labeled):
        labeled = labeled_arrays(
            labeled, "labeled", in_memory=False, weighted=True
        )
    if not is_dataset(unlabeled):
        unlabeled = image_source(unlabeled).images
    if truth is not None:
        truth = as_array(truth, "truth")
        check_labels(truth, "truth", one_true=None)
        if not np.array_equal(truth, truth.astype("int32")):
            raise ValueError(
                "`truth` must hold class numbers, or rows of 0 and 1. "
                f"Received: rows such as {truth[0].tolist()}"
            )
        truth = truth.astype("int32")
        if is_dataset(unlabeled):
            image_source(unlabeled).check_order()
    if is_dataset(labeled) or is_dataset(unlabeled):
        from keras_fewlabels.data.batches.mixed_streams import MixedStreams

        mixed = MixedStreams
    else:
        check_same_images(labeled[0], unlabeled)
        if truth is not None:
            check_truth(truth, len(unlabeled))
        mixed = MixedBatches
    return mixed(
        labeled,
        unlabeled,
        batch_size=batch_size,
        unlabeled_batch_size=unlabeled_batch_size,
        shuffle=shuffle,
        seed=seed,
        truth=truth,
    ).as_dataset()
