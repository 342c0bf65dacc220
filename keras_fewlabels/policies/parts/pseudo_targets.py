"""Targets for the student out of the probabilities of the teacher."""

from keras import ops


def pseudo_targets(probabilities, soft):
    """Turns probabilities into targets.

    Args:
        probabilities: Float tensor of shape `(batch, num_classes)`.
        soft: Boolean. If `True`, the target is the whole distribution;
            otherwise it is the likeliest class, one-hot.

    Returns:
        Float tensor of the same shape and dtype.
    """
    if soft:
        return probabilities
    return ops.one_hot(
        ops.argmax(probabilities, axis=-1),
        probabilities.shape[-1],
        dtype=probabilities.dtype,
    )
