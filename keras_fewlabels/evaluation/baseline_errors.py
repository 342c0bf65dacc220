from keras_fewlabels.evaluation.corruption_report import CorruptionReport


def baseline_errors(baseline, names, severities):
    """The mean error of a baseline under each corruption.

    Args:
        baseline: A `CorruptionReport`, a dict of names to means over all five
            severities, or None.
        names: List of names of corruptions.
        severities: Sequence of integers.

    Returns:
        Dict of the names to floats above 0, or None.

    Raises:
        ValueError: If the baseline has other severities, or no error to
            compare to for one of the names.
    """
    if baseline is None:
        return None
    theirs, errors = (1, 2, 3, 4, 5), baseline
    if isinstance(baseline, CorruptionReport):
        theirs, errors = baseline.severities, baseline.mean_errors
    if not isinstance(errors, dict):
        raise ValueError(
            "`baseline` must be a `keras.Model`, a `CorruptionReport` or "
            f"`alexnet_errors()`. Received: baseline={baseline!r}"
        )
    if set(theirs) != set(severities):
        raise ValueError(
            f"The errors of `baseline` are means over severities {theirs}; "
            "evaluate the model on the same. "
            f"Received: severities={severities}"
        )
    useless = [name for name in names if not errors.get(name, 0) > 0]
    if useless:
        raise ValueError(
            "The model can only be compared to a baseline that errs under each "
            "corruption. Leave out those without an error to compare to. "
            f"Received: none for {useless}"
        )
    return {name: errors[name] for name in names}
