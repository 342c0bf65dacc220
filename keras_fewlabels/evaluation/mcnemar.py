import fractions


def mcnemar(num_fixed, num_broken):
    """The exact p-value that two models are equally good.

    Of the images that only one of the two gets right, each should be the one
    model's as often as the other's: a two-sided binomial test.

    Reference:
        - [McNemar, 1947](https://doi.org/10.1007/BF02295996); the exact form.

    Args:
        num_fixed: Int, images that only the second model gets right.
        num_broken: Int, images that only the first model gets right.

    Returns:
        Float in 0 to 1.
    """
    total, fewer = num_fixed + num_broken, min(num_fixed, num_broken)
    term = ways = 1
    for number in range(fewer):
        term = term * (total - number) // (number + 1)
        ways += term
    # As whole numbers: their quotient may be smaller than any float's parts.
    return min(1.0, float(fractions.Fraction(2 * ways, 2**total)))
