"""Averages over the batches seen so far."""

import numbers

import numpy as np
from keras import ops


def check_momentum(momentum):
    """Refuses a momentum with which an average would not move.

    Args:
        momentum: Float, the share that an average keeps with each batch.

    Raises:
        ValueError: If it is no number or outside `[0, 1)`.
    """
    if not (isinstance(momentum, numbers.Real) and 0 <= momentum < 1):
        raise ValueError(
            "`momentum` must be in [0, 1); closer to 1 averages over more "
            f"batches. Received: momentum={momentum!r}"
        )


def add_average(layer, name, values):
    """Adds a variable for an average to a layer that is being built.

    Args:
        layer: Layer that calls this in its `build()`.
        name: String, the name of the variable.
        values: Float or float array that the average starts from.

    Returns:
        Variable of the shape of `values`.
    """
    values = np.asarray(values, dtype="float32")
    return layer.add_weight(
        shape=values.shape,
        initializer=lambda *args, **kwargs: ops.convert_to_tensor(values),
        trainable=False,
        # All replicas move it by the same global batch.
        aggregation="only_first_replica",
        name=name,
    )


def move_average(average, value, momentum):
    """Moves an average to what one more batch says.

    Args:
        average: Variable out of `add_average`.
        value: Float tensor of the same shape, what the batch says.
        momentum: Float, the share that the average keeps. Or float tensor,
            one share per entry.
    """
    average.assign(momentum * average + (1 - momentum) * value)
