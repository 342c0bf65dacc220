import numpy as np

from keras_fewlabels.data.review.image_table import (
    find_images,
    read_image_table,
)
from keras_fewlabels.data.sources import image_source


def read_new_labels(unlabeled, file, *, class_names=None):
    r"""Reads the labels that people wrote into the file of proposed images.

    `evaluation.next_to_label` proposes images and writes the file with an
    empty column `label`. Fill in the labels you know and leave the others
    empty. Images in one folder per class need no such file: move them into
    the folders of their classes, which the next run reads.

    Args:
        unlabeled: The unlabelled images: an array
            `(num_images, height, width, channels)`, or an object that is
            indexed like one; or a `tf.data.Dataset` or `PyDataset` of images
            in a fixed order. Images are found by path, or by content.
        file: Path of the CSV file.
        class_names: Optional sequence of strings, one per class. The file may
            then hold names in place of the numbers of classes.

    Returns:
        `(indices, labels)`: two int64 arrays, the indices of the images that
        now have a label and are still among the unlabelled ones, and their
        classes.

    Raises:
        ValueError: If the file was not written by a proposal, none of its
            images is in `unlabeled`, or a label is neither the number nor the
            name of a class.

    Example:

    >>> import tempfile
    >>> images = np.arange(6, dtype="uint8").reshape(6, 1, 1, 1)
    >>> file = f"{tempfile.mkdtemp()}/to_label.csv"
    >>> with open(file, "w") as opened:
    ...     _ = opened.write("label,index,path,hash\n")
    ...     _ = opened.write("cat,4,,98ff6222caa0feee\n")
    >>> indices, labels = keras_fewlabels.data.read_new_labels(
    ...     images, file, class_names=["ant", "cat"]
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
    source = image_source(unlabeled)
    indices = find_images(rows, source, "The file of labels")
    usable = (labels >= 0) & (indices >= 0)
    return indices[usable], labels[usable]


def _class_number(label, names):
    """Returns the number of a class, or -1 for an empty label."""
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
