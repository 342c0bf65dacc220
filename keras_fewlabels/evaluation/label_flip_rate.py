import numpy as np

from keras_fewlabels.callbacks.pseudo_labeler import PseudoLabeler
from keras_fewlabels.data.image_checks import as_array


def label_flip_rate(history, num_images):
    """In how many of the rounds after the first each label was another one.

    Args:
        history: `PseudoLabeler` after its fit; or a sequence of int arrays
            `(num_images,)`, the labels of each round, -1 where there is none;
            or `None`, without which no label flips.
        num_images: Int.

    Returns:
        Float array of shape `(num_images,)`, in 0 to 1. A label is compared
        to the one the image had last, rounds without one left out.

    Raises:
        ValueError: If the history is that of other images.
    """
    if history is None:
        return np.zeros(num_images)
    if isinstance(history, PseudoLabeler):
        changes, num_rounds = history.num_changes, len(history.rounds)
        if len(changes) != num_images:
            raise _wrong_history(f"of {len(changes)} images", num_images)
        return changes / max(1, num_rounds - 1)
    rounds = [as_array(each, "history") for each in history]
    shapes = {each.shape for each in rounds}
    if shapes != {(num_images,)} or any(r.dtype.kind != "i" for r in rounds):
        raise _wrong_history(f"of shapes {sorted(shapes)}", num_images)
    last, changes = rounds[0].copy(), np.zeros(num_images)
    for labels in rounds[1:]:
        kept = labels >= 0
        changes += kept & (last >= 0) & (labels != last)
        last[kept] = labels[kept]
    return changes / max(1, len(rounds) - 1)


def _wrong_history(received, num_images):
    return ValueError(
        "`history` must be a `PseudoLabeler` after its fit, or an int array "
        f"of labels per round, each of shape ({num_images},). "
        f"Received: a history {received}"
    )
