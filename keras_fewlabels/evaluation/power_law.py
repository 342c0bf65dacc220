import numpy as np

# Steeper than 1 / n no error falls; below 0.1 the limit has no meaning.
_EXPONENTS = np.linspace(0.1, 1.5, 15)


def fit_power_laws(sizes, errors):
    """Fits curves `limit + slope * size ** -exponent`, none of it negative.

    Least squares: for each exponent the limit and the slope have a closed
    form, and the exponent with the least squares wins.

    Args:
        sizes: Array of shape `(num_sizes,)`, numbers of labels.
        errors: Array of shape `(num_curves, num_sizes)`, in 0 to 1.

    Returns:
        `(limits, slopes, exponents)`, arrays of shape `(num_curves,)`.
    """
    sizes, errors = np.asarray(sizes, float), np.asarray(errors, float)
    weights = np.full(len(sizes), 1 / len(sizes))
    best = np.full(len(errors), np.inf)
    found = np.zeros((3, len(errors)))
    means = errors @ weights
    for exponent in _EXPONENTS:
        falling = sizes**-exponent
        mean = falling @ weights
        spread = weights * (falling - mean)
        slopes = errors @ spread / max(falling @ spread, 1e-12)
        slopes = np.maximum(slopes, 0)
        limits = means - slopes * mean
        # Without a limit the line goes through the origin.
        origin = errors @ (weights * falling) / (falling**2 @ weights)
        slopes = np.where(limits < 0, np.maximum(origin, 0), slopes)
        limits = np.maximum(limits, 0)
        fitted = limits[:, None] + slopes[:, None] * falling
        squares = (fitted - errors) ** 2 @ weights
        better = squares < best
        best = np.where(better, squares, best)
        values = np.broadcast_to(exponent, limits.shape)
        found = np.where(better, [limits, slopes, values], found)
    return tuple(found)


def power_law(sizes, limits, slopes, exponents):
    """The errors of fitted curves at other sizes.

    Args:
        sizes: Array of shape `(num_sizes,)`.
        limits: Array of shape `(num_curves,)`, as are the others.
        slopes: As `limits`.
        exponents: As `limits`.

    Returns:
        Array of shape `(num_curves, num_sizes)`.
    """
    falling = np.asarray(sizes, float) ** -exponents[:, None]
    return limits[:, None] + slopes[:, None] * falling
