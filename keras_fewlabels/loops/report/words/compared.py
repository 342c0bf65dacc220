"""What a report compares models by."""

from keras_fewlabels.loops.report.words.several_labels import has_several_labels


def compared_figure(details):
    """Returns the name of the figure that tells which model is better.

    Returns:
        `"accuracy"`, or `"mean_average_precision"` if images have several
        labels: "no" to a rare label is mostly right, and says little.
    """
    several = has_several_labels(details)
    return "mean_average_precision" if several else "accuracy"


def figure_in_words(details):
    """Returns the name of `compared_figure` for titles and axes."""
    return compared_figure(details).replace("_", " ")


def known_split(parts, figure="accuracy"):
    """Returns the images on which all parts were evaluated.

    Figures are compared only if they were measured on the same images.

    Args:
        parts: Phases or steps of a `FitReport`, at least one.
        figure: String, the name of what must have been measured.

    Returns:
        `"test"` if all have that figure, else `"validation"` if all have
        that, else `None`.

    Example:

    >>> from keras_fewlabels.loops.report.words.compared import known_split
    >>> first = {"validation": {"accuracy": 0.5}, "test": {"accuracy": 0.4}}
    >>> known_split([first]), known_split([first, {**first, "test": None}])
    ('test', 'validation')
    """
    parts = list(parts)
    for split in "test", "validation":
        results = [part.get(split) or {} for part in parts]
        if all(result.get(figure) is not None for result in results):
            return split
    return None
