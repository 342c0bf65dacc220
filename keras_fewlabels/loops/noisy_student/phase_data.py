"""The images of a run, divided, and the batches of its phases."""

import dataclasses

import numpy as np

from keras_fewlabels.data.batches import LabeledBatches, MixedBatches
from keras_fewlabels.data.checks import as_array, check_labels, check_truth
from keras_fewlabels.data.sources import image_source, is_dataset
from keras_fewlabels.data.split_labels import split_labels

# The images that settle the statistics of batch normalization.
_CLEAN_IMAGES = 2048
# The random splits among which one with all labels in both parts is looked for.
_NUM_SPLITS = 50


@dataclasses.dataclass(frozen=True)
class PhaseData:
    """The images that phases train on and are measured with.

    Args:
        labeled: Pair of arrays to train on.
        validation: Pair of arrays, or `None`.
        test: Pair of arrays, or of `ImageFiles` and labels, or `None`.
        clean_images: Array of images without their labels.
        seed: Int.
        truth: Optional int32 array, the classes of the unlabelled images, or
            rows of 0 and 1.
    """

    labeled: tuple
    validation: tuple | None
    test: tuple | None
    clean_images: np.ndarray
    seed: int
    truth: np.ndarray | None

    def with_validation_learned(self):
        """Returns data whose validation images are trained on as well."""
        if self.validation is None:
            return self
        parts = zip(self.labeled, self.validation, strict=True)
        return dataclasses.replace(
            self,
            labeled=tuple(np.concatenate(pair) for pair in parts),
            validation=None,
        )


def divide(task, validation, test, validation_split, seed, truth=None):
    """Divides the images of a task, so that no image is trained and measured.

    Args:
        task: `Task`.
        validation: Pair of arrays, or `None` to take a share of the labelled
            images, with some of each class.
        test: Pair of arrays, or of `ImageFiles` and labels, or `None`.
        validation_split: Float from 0 to 0.5.
        seed: Int.
        truth: Optional int array, the classes of the unlabelled images.

    Returns:
        A `PhaseData`.

    Raises:
        ValueError: If a class has too few images to be divided, or `truth`
            does not hold a class for each unlabelled image.
    """
    labeled = task.labeled
    if validation is None and validation_split:
        labeled, validation = _split(task, validation_split, seed)
    elif validation is not None:
        # They are looked at after each epoch, and may be learned in the end.
        validation = tuple(map(np.asarray, validation))
    if truth is not None:
        truth = as_array(truth, "truth")
        check_truth(truth, len(task.unlabeled))
        check_labels(
            truth,
            "truth",
            num_classes=task.num_classes,
            one_true=task.scores.one_true,
        )
        truth = truth.astype("int32")
    drawn = image_source(labeled[0], "labeled").draw(_CLEAN_IMAGES, seed)
    images = np.concatenate([labeled[0][drawn], task.sample])
    order = np.random.default_rng(seed).permutation(len(images))
    return PhaseData(
        labeled,
        validation,
        test,
        images[order[:_CLEAN_IMAGES]],
        seed,
        truth,
    )


def _split(task, validation_split, seed):
    num_validation = task.num_validation(validation_split)
    lone = np.flatnonzero(task.class_counts < 2)
    if len(lone):
        raise ValueError(
            "A validation set is taken out of the labelled images, so each "
            "class needs two of them. Label more, pass `validation_data`, or "
            "pass `settings={'validation_split': 0}` to do without. Received: "
            f"one image of class {', '.join(map(str, lone))}"
        )
    split = _stratified if task.scores.one_true else _best_of_random
    rest, chosen = split(task, num_validation, seed)
    return tuple(
        tuple(part[indices] for part in task.labeled)
        for indices in (rest, chosen)
    )


def _stratified(task, num_validation, seed):
    # The numbers of the images are split, for `split_labels` drops the labels
    # of the rest.
    images, labels = task.labeled
    numbers = np.arange(len(images)).reshape(-1, 1, 1, 1)
    (chosen, _), rest, _ = split_labels(
        numbers, labels, num_validation, seed=seed
    )
    return rest.reshape(-1), chosen.reshape(-1)


def _best_of_random(task, num_validation, seed):
    """Returns numbers of images, so that few labels are missing in a part.

    A label that no image is left to train on weighs more than one that no
    image is left to validate on.
    """
    images, labels = task.labeled
    random = np.random.default_rng(seed)
    best, fewest = None, None
    for _ in range(_NUM_SPLITS):
        order = random.permutation(len(images))
        parts = order[num_validation:], order[:num_validation]
        missing = tuple(
            int(np.sum(task.count_classes(labels[part]) == 0)) for part in parts
        )
        if best is None or missing < fewest:
            best, fewest = parts, missing
    return best


@dataclasses.dataclass(frozen=True)
class EpochBatches:
    """The batches of an epoch.

    Args:
        dataset: Dataset for `fit()`.
        num_steps: Int, the number of batches.
        order: Object with `begin_epoch(epoch)`.
    """

    dataset: object
    num_steps: int
    order: object


def labeled_batches(labeled, batch_size, num_steps, seed):
    """Returns batches of labelled images alone, in passes over all of them."""
    batches = LabeledBatches(*labeled, batch_size, num_steps, seed)
    return EpochBatches(batches.as_dataset(), num_steps, batches)


def mixed_batches(labeled, unlabeled, sizes, num_steps, seed, truth=None):
    """Returns batches of labelled and unlabelled images.

    An epoch of arrays has `num_steps` batches. An epoch of a dataset is one
    pass over the unlabelled images, or the number of passes that comes
    nearest to `num_steps`.

    Args:
        labeled: Pair of arrays.
        unlabeled: Array, `ImageFiles` or dataset of images.
        sizes: Pair of ints, labelled and unlabelled images in a batch.
        num_steps: Int.
        seed: Int.
        truth: Optional int array, the classes of the unlabelled images.

    Returns:
        `EpochBatches`.
    """
    if not is_dataset(unlabeled):
        batches = MixedBatches(
            labeled, unlabeled, *sizes, True, seed, truth, num_steps
        )
        return EpochBatches(batches.as_dataset(), num_steps, batches)
    from keras_fewlabels.data.batches.mixed_streams import MixedStreams

    streams = MixedStreams(labeled, unlabeled, *sizes, True, seed, truth)
    num_passes = max(1, round(num_steps / streams.num_steps))
    return EpochBatches(
        streams.as_dataset(num_passes), num_passes * streams.num_steps, streams
    )
