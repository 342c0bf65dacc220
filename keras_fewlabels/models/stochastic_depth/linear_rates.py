import numbers


def linear_rates(num_blocks, final_rate=0.2):
    """Drop rates that grow linearly with the depth of a residual network.

    The first blocks extract what all others need, so they are dropped least:
    block `l` of `L` is dropped with the rate `l / L * final_rate`.

    Reference:
        - [Huang et al., 2016](https://arxiv.org/abs/1603.09382), who give
          survival rates, `1 - rate`, and use a final rate of 0.5.

    Args:
        num_blocks: Int, the number of residual blocks.
        final_rate: Float in `[0, 1)`, the rate of the last block.

    Returns:
        List of `num_blocks` floats, for the first block to the last.

    Raises:
        ValueError: If `num_blocks` is no count or `final_rate` is outside
            `[0, 1)`.

    Example:
    >>> keras_fewlabels.models.linear_rates(num_blocks=4, final_rate=0.5)
    [0.125, 0.25, 0.375, 0.5]
    """
    if not isinstance(num_blocks, int) or num_blocks < 0:
        raise ValueError(
            "`num_blocks` is a count of residual blocks, an int of at least "
            f"0. Received: num_blocks={num_blocks!r}"
        )
    if not isinstance(final_rate, numbers.Real) or not 0 <= final_rate < 1:
        raise ValueError(
            "`final_rate` is the probability of dropping the last branch and "
            "must be at least 0 and below 1. "
            f"Received: final_rate={final_rate!r}"
        )
    return [
        final_rate * block / num_blocks for block in range(1, num_blocks + 1)
    ]
