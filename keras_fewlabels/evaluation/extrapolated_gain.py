import numpy as np

from keras_fewlabels.evaluation.power_law import fit_power_laws, power_law

# Beyond so many times the labels there are, no curve is to be trusted.
_FARTHEST = 4
_FEWEST_IMAGES = 10
_FEWEST_SIZES = 4
# The share of the variation of errors that the curve must explain.
_LEAST_FIT = 0.7


def extrapolated_gains(
    wrong, sizes, num_labels, extra, confidence, num_draws, random
):
    """How much less the error will be with more labels, as intervals.

    A power law is fitted to the errors, as often as `num_draws`, each time
    with other orders and other held-out images, drawn with replacement. Where
    there are sizes beyond `num_labels`, only these and that itself count: the
    features may know the labels there are. To what the curve promises comes
    the luck of which images will be labelled: how much the error differs
    between orders with as many more, or, where there is no such size, with as
    many fewer in proportion.

    Args:
        wrong: Boolean array of shape `(orders, num_sizes, num_images)`, what
            heads of each size got wrong.
        sizes: List of ints.
        num_labels: Int, how many labels there are.
        extra: List of ints, how many more there may be.
        confidence: Float in 0 to 1, of the interval.
        num_draws: Int.
        random: `np.random.Generator`.

    Returns:
        The fitted curve at `sizes`, a list of floats, `None` where it was not
        fitted, and a list with a dict for each of `extra`, as
        `LabelPrice.offers`.
    """
    skipped = sizes.index(num_labels) if max(sizes) > num_labels else 0
    wrong, sizes = wrong[:, skipped:], sizes[skipped:]
    errors = wrong.mean(axis=(0, 2))
    law = fit_power_laws(sizes, errors[None])
    (curve,) = power_law(sizes, *law)
    tails = np.array([1 - confidence, 1 + confidence]) / 2
    draws = fit_power_laws(sizes, _redrawn(wrong, num_draws, random))
    offers = []
    for more in extra:
        ends = [num_labels, num_labels + more]
        ((now, then),) = power_law(ends, *law)
        gains = -np.diff(power_law(ends, *draws), axis=1)[:, 0]
        luck = _luck(wrong, sizes, num_labels, more)
        low, high = np.quantile(
            gains + random.normal(0, luck, num_draws), tails
        )
        doubt = _doubt(wrong, errors, curve, more / num_labels, low)
        offers.append(
            {
                "extra": int(more),
                "error": float(then),
                "gain": float(now - then),
                "low": float(low),
                "high": float(high),
                "verdict": doubt or "gain",
            }
        )
    return [None] * skipped + curve.tolist(), offers


def _redrawn(wrong, num_draws, random):
    """Mean errors, drawn with replacement: `(num_draws, num_sizes)`."""
    orders, _, images = wrong.shape
    of_orders = random.multinomial(orders, [1 / orders] * orders, num_draws)
    of_images = random.multinomial(images, [1 / images] * images, num_draws)
    counts = np.einsum(
        "do,osi,di->ds", of_orders, wrong.astype("float32"), of_images,
        optimize=True,
    )  # fmt: skip
    return counts / (orders * images)


def _luck(wrong, sizes, num_labels, more):
    """The standard deviation of a gain by which images are labelled."""
    spreads = wrong.mean(axis=2).std(axis=0, ddof=1)
    if sizes[-1] > num_labels:
        place = _nearest(sizes, num_labels + more)
        # Each order lends two halves, and has the mean luck of both.
        return float(spreads[place] * np.sqrt(2))
    place = _nearest(sizes, num_labels**2 / (num_labels + more))
    # It falls with the number of labels as that of a mean does.
    return float(spreads[place] * np.sqrt(sizes[place] / num_labels))


def _nearest(sizes, wanted):
    return int(np.argmin(np.abs(np.array(sizes) - wanted)))


def _doubt(wrong, errors, curve, ratio, low):
    if wrong.shape[2] < _FEWEST_IMAGES:
        return f"cannot tell: only {wrong.shape[2]} images to measure on"
    if len(errors) < _FEWEST_SIZES:
        return "cannot tell: too few labels for a curve"
    if ratio > _FARTHEST - 1:
        return f"cannot tell: over {_FARTHEST} times the labels there are"
    variation = np.sum((errors - errors.mean()) ** 2)
    if np.sum((errors - curve) ** 2) > (1 - _LEAST_FIT) * variation:
        return "cannot tell: errors do not follow a curve"
    return "cannot tell: the gain may be none" if low <= 0 else None
