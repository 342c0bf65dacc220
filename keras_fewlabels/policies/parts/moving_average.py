"""Averages over the batches so far."""


def move_average(average, value, momentum):
    """Moves an average towards the value of one more batch.

    Args:
        average: Float variable.
        value: Float tensor of the same shape, the value of the batch.
        momentum: Float in `[0, 1)`, the share that the average keeps. Or a
            tensor of the dtype of `value` with a share for each entry.
    """
    average.assign(momentum * average + (1 - momentum) * value)
