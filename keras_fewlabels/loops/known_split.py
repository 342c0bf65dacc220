def known_split(parts):
    """Returns on which images all parts were evaluated.

    Accuracies are compared only if they were measured on the same images.

    Args:
        parts: Phases or steps of a `FitReport`, at least one.

    Returns:
        `"test"` if all have that accuracy, else `"validation"` if all have
        that, else `None`.

    Example:

    >>> from keras_fewlabels.loops.known_split import known_split
    >>> first = {"validation": {"accuracy": 0.5}, "test": {"accuracy": 0.4}}
    >>> known_split([first]), known_split([first, {**first, "test": None}])
    ('test', 'validation')
    """
    parts = list(parts)
    for split in "test", "validation":
        results = [part.get(split) or {} for part in parts]
        if all(result.get("accuracy") is not None for result in results):
            return split
    return None
