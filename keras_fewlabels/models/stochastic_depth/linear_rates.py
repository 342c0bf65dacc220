from keras_fewlabels.foundation import check_fraction, check_int


def linear_rates(num_blocks, final_rate=0.2):
    """Returns drop rates that grow linearly with the depth of a network.

    The first residual blocks extract what all others need, so they are dropped
    least: block `l` of `L` is dropped with the rate `l / L * final_rate`.

    Reference:
        - [Huang et al., 2016](https://arxiv.org/abs/1603.09382), who give
          survival rates, `1 - rate`, and use a final rate of 0.5.

    Args:
        num_blocks: Int, the number of residual blocks.
        final_rate: Float in `[0, 1)`, the rate of the last block.

    Returns:
        List of `num_blocks` floats, for the first block to the last.

    Raises:
        ValueError: If `num_blocks` is not an int of at least 0, or
            `final_rate` is outside `[0, 1)`.

    Example:

    >>> keras_fewlabels.models.linear_rates(num_blocks=4, final_rate=0.5)
    [0.125, 0.25, 0.375, 0.5]
    """
    check_int(num_blocks, "num_blocks", 0)
    check_fraction(
        final_rate, "final_rate", hint="It is the rate of the last branch"
    )
    return [
        final_rate * block / num_blocks for block in range(1, num_blocks + 1)
    ]
