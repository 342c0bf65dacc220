import numpy as np

from keras_fewlabels.data.review.image_table import (
    find_images,
    read_image_table,
)
from keras_fewlabels.data.sources.image_pool import ImagePool


def read_new_labels(file, unlabeled, class_names=None):
    r"""Reads the labels that somebody wrote beside the proposed images.

    `evaluation.next_to_label` proposes images and writes the file with an
    empty column `label`. Fill in what you know and leave the rest empty. Who
    keeps images in folders, one per class, does not need it: a file that is
    moved into the folder of its class is read from there in the next run.

    Args:
        file: Path of the CSV file.
        unlabeled: The unlabelled images: an array
            `(num_images, height, width, channels)`, or what is indexed like
            one; or a `tf.data.Dataset` or `PyDataset` of images in a fixed
            order. Images are found by path, or by what they show.
        class_names: Optional sequence of strings, one per class, that may
            stand for the numbers of the classes in the file.

    Returns:
        `(indices, labels)`: two int64 arrays, the numbers of the images that
        now have a label and are still among the unlabelled ones, and their
        classes.

    Raises:
        ValueError: If the file is not that of a proposal, none of its images
            is among these, or a label is neither a number nor a name of a
            class.

    Example:

    >>> import tempfile
    >>> images = np.arange(6, dtype="uint8").reshape(6, 1, 1, 1)
    >>> file = f"{tempfile.mkdtemp()}/to_label.csv"
    >>> with open(file, "w") as opened:
    ...     _ = opened.write("label,index,path,hash\n")
    ...     _ = opened.write("cat,4,,98ff6222caa0feee\n")
    >>> indices, labels = keras_fewlabels.data.read_new_labels(
    ...     file, images, class_names=["ant", "cat"]
    ... )
    >>> new = images[indices], labels  # To join the labelled ones,
    >>> x_unlabeled = np.delete(images, indices, axis=0)  # and to leave here.
    >>> labels, len(x_unlabeled)
    (array([1]), 5)
    """
    rows = read_image_table(file, "label", "file")
    names = {str(name): n for n, name in enumerate(class_names or ())}
    labels = np.array(
        [_class_number(row["label"].strip(), names) for row in rows], "int64"
    )
    found = find_images(rows, ImagePool(unlabeled), "The file of labels")
    usable = (labels >= 0) & (found >= 0)
    return found[usable], labels[usable]


def _class_number(label, names):
    """The number of a class; -1 where there is no label."""
    if not label:
        return -1
    if label in names:
        return names[label]
    if label.isdecimal() and (not names or int(label) < len(names)):
        return int(label)
    raise ValueError(
        "The column `label` must hold "
        + (f"one of {list(names)}" if names else "numbers of classes, from 0")
        + f", or nothing. Received: {label!r}"
    )
