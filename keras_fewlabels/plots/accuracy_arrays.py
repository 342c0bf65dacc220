import numpy as np


def accuracy_arrays(name, accuracies):
    """Returns accuracies by name as arrays.

    Args:
        name: String, the name of the argument.
        accuracies: Dict of names to a float in 0 to 1, or to a sequence of
            such floats.

    Returns:
        Dict of strings to float arrays of shape `(num_runs,)`.

    Raises:
        ValueError: If the dict is empty, or a value is other than a number
            from 0 to 1 or a sequence of such numbers.

    Example:

    >>> from keras_fewlabels.plots.accuracy_arrays import accuracy_arrays
    >>> accuracy_arrays("accuracies", {"labels only": 0.5})
    {'labels only': array([0.5])}
    """
    if not isinstance(accuracies, dict) or not accuracies:
        raise ValueError(
            f"`{name}` must be a dict of names to accuracies, such as "
            '`{"labels only": 0.61}`, with at least one. '
            f"Received: {name}={accuracies!r}"
        )
    return {
        str(key): _accuracy_array(name, key, value)
        for key, value in accuracies.items()
    }


def _accuracy_array(name, key, value):
    try:
        array = np.atleast_1d(np.asarray(value, float))
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.ndim != 1 or not array.size or not np.isfinite(array).all():
        raise ValueError(
            f"Each accuracy in `{name}` must be a number, or a list of at "
            f"least one number. Received: {name}[{key!r}]={value!r}"
        )
    if array.min() < 0 or array.max() > 1:
        raise ValueError(
            "Accuracies must be fractions in 0 to 1; divide percentages by "
            f"100. Received: {name}[{key!r}]={value!r}"
        )
    return array
