"""The rows of a training batch that show several images, or one repeatedly.

The shares of a batch say which images each row shows: a float32 tensor of
shape `(num_rows, num_images)`, in which the labelled images come first, among
rows and among images. Rows of shares sum to 1.
"""

from keras import ops

from keras_fewlabels.data.checks import is_one_hot


def shares_of_views(num_labeled, num_unlabeled, num_rows):
    """Returns the shares of rows that show one image each.

    Args:
        num_labeled: Int or int tensor, the number of labelled images.
        num_unlabeled: Int or int tensor, the number of unlabelled images.
        num_rows: Int or int tensor. Behind the labelled images come all
            unlabelled ones, as often as there are rows for them.

    Returns:
        Float32 tensor of shape `(num_rows, num_labeled + num_unlabeled)`.
    """
    rows = ops.arange(num_rows)
    unlabeled = num_labeled + (rows - num_labeled) % num_unlabeled
    shown = ops.where(rows < num_labeled, rows, unlabeled)
    images = ops.arange(num_labeled + num_unlabeled)
    return ops.cast(shown[:, None] == images[None], "float32")


def mix_by_layer(layer, images, shares):
    """Mixes images by a layer that mixes images and labels.

    All such layers mix labels linearly, so the layer can mix shares instead,
    before the labels are known.

    Args:
        layer: Keras layer such as `keras.layers.MixUp`.
        images: Tensor of shape `(num_rows, height, width, channels)`.
        shares: Float tensor of shape `(num_rows, num_images)`.

    Returns:
        Mixed images and shares.

    Raises:
        ValueError: If the layer does not take and return images with labels.
    """
    try:
        mixed = layer({"images": images, "labels": shares}, training=True)
        return mixed["images"], ops.cast(mixed["labels"], "float32")
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise ValueError(
            "`mixing` must be a layer that takes and returns a dict of "
            '"images" and "labels", such as `keras.layers.MixUp()`. Pass a '
            "layer that changes images alone as `noise`. "
            f"Received: mixing={layer!r}"
        ) from error


def label_rows(labels, num_classes):
    """Returns labels as float32 rows of shape `(batch, num_classes)`."""
    if is_one_hot(labels):
        return ops.cast(labels, "float32")
    numbers = ops.cast(ops.reshape(labels, (-1,)), "int32")
    return ops.one_hot(numbers, num_classes, dtype="float32")


def targets_of_mixed_batch(shares, labels, sample_weight, targets, weights):
    """Divides among the rows of a batch what its images are to teach.

    The cross-entropy of a row is the sum over the images that it shows of
    `share * weight * cross_entropy`. The labels of images in their own row
    are left to the compiled loss.

    Args:
        shares: Float tensor of shape `(num_rows, num_images)`.
        labels: Class numbers or one-hot rows of the labelled images.
        sample_weight: Optional tensor `(num_labeled,)`.
        targets: Float tensor of shape `(num_unlabeled, num_classes)`.
        weights: Float tensor of shape `(num_unlabeled,)`.

    Returns:
        `(own, others, unlabeled)`: the weights of the labels in the labelled
        rows, of shape `(num_labeled,)`; targets and weights of the other
        images in these rows; and targets and weights of the other rows.
    """
    labels = label_rows(labels, targets.shape[-1])
    label_weights = ops.ones_like(labels[:, 0])
    if sample_weight is not None:
        sample_weight = ops.reshape(sample_weight, (-1,))
        label_weights = ops.cast(sample_weight, "float32")
    targets = ops.concatenate([labels, targets])
    counted = shares * ops.concatenate([label_weights, weights])
    num_labeled, num_images = ops.shape(labels)[0], ops.shape(targets)[0]
    is_own = shares_of_views(num_labeled, num_images - num_labeled, num_labeled)
    labeled, unlabeled = counted[:num_labeled], counted[num_labeled:]
    own = ops.sum(labeled * is_own, axis=-1)
    return (
        own,
        _targets_and_weights(labeled * (1 - is_own), targets),
        _targets_and_weights(unlabeled, targets),
    )


def _targets_and_weights(counted, targets):
    weights = ops.sum(counted, axis=-1)
    mixed = ops.matmul(counted, targets)
    return ops.divide_no_nan(mixed, weights[:, None]), weights
