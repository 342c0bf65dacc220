"""Averages over the batches so far."""

from keras import ops


def move_average(average, rows, momentum):
    """Moves an average towards the mean of one more batch.

    Args:
        average: Float variable.
        rows: Float tensor of shape `(batch, ...)`, with the shape of the
            average behind the first axis. An empty batch moves nothing.
        momentum: Float in `[0, 1)`, the share that the average keeps.
    """
    before = ops.convert_to_tensor(average)
    moved = momentum * before + (1 - momentum) * ops.mean(rows, axis=0)
    # The mean of no rows is not a number.
    average.assign(ops.where(ops.shape(rows)[0] > 0, moved, before))
