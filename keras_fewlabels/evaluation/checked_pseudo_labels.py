from keras_fewlabels.data.image_checks import as_array


def checked_pseudo_labels(labels, num_images):
    """Pseudo-labels as an array, or `None`.

    Args:
        labels: What should be an int array `(num_images,)`, -1 where there is
            no label, or `None`.
        num_images: Int.

    Raises:
        ValueError: If it is no such array, or no image has a label.
    """
    if labels is None:
        return None
    labels = as_array(labels, "pseudo_labels")
    is_labels = labels.shape == (num_images,) and labels.dtype.kind == "i"
    if not is_labels or (labels < -1).any():
        raise ValueError(
            "`pseudo_labels` must be an int array with a class per image, -1 "
            f"where there is none. Received: shape={labels.shape}, "
            f"dtype={labels.dtype}, for {num_images} images"
        )
    if (labels < 0).all():
        raise ValueError(
            "There must be a pseudo-label to look at. Received: "
            f"pseudo_labels={labels[:5]}..., all of them -1"
        )
    return labels
