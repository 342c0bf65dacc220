"""What a student learns of a teacher's probabilities."""

from keras import ops


def pseudo_targets(probabilities, soft):
    """Turns probabilities into targets.

    Args:
        probabilities: Float tensor of shape `(batch, num_classes)`.
        soft: Boolean, whether the target is the whole distribution rather
            than its likeliest class.

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
