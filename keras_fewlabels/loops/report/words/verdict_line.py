"""What a `FitReport` says of the unlabelled images."""

from keras_fewlabels.loops.report.words.compared import (
    compared_figure,
    known_split,
)
from keras_fewlabels.loops.report.words.text import percent, points

# What is said of figures, before one and after a difference.
_IN_WORDS = {
    "accuracy": ("", ""),
    "balanced_accuracy": ("balanced accuracy ", " of balanced accuracy"),
    "mean_average_precision": ("mAP ", " of mAP"),
}


def verdict_line(details):
    """Returns a sentence on whether the unlabelled images helped, or `""`."""
    verdict = details.get("verdict")
    if not verdict:
        return _cannot_tell(details)
    low, high = (100 * bound for bound in verdict["interval"])
    helped = {True: "helped", False: "did harm", None: "may have helped or not"}
    reference = "labels alone"
    if verdict.get("reference") == "supervised phase":
        reference = "the supervised phase"
    figure = verdict.get("figure") or compared_figure(details)
    name, of_figure = _IN_WORDS[figure]
    figures = (
        f"{points(verdict['difference'])} points{of_figure} over {reference} "
        f"({low:+.1f} to {high:+.1f}) on the same {verdict['num_images']:,} "
        f"{verdict['split']} images."
    )
    text = f"The unlabelled images {helped[verdict['is_better']]}: {figures}"
    probe = verdict.get("linear_probe")
    if probe and probe["is_better"]:
        text = (
            "A linear classifier on the features of the model before the "
            f"training (linear probe) is better: {name}"
            f"{percent(probe['accuracy'])}, where the returned model has "
            f"{percent(probe['accuracy_of_kept'])}. With unlabelled images: "
            f"{figures}"
        )
    if verdict["kept"] == "baseline":
        text += " The model trained on labels alone was kept."
    elif verdict["kept"] != "student":
        text += " The model of the supervised phase was kept."
    elif verdict["is_better"] is False:
        text += (
            " The student was kept all the same, for no test image may choose "
            "a model: pass `validation_data` for that."
        )
    return text


def _cannot_tell(details):
    baseline, figure = details.get("baseline"), compared_figure(details)
    measured = [baseline, details["phases"][-1]] if baseline else ()
    if not measured or known_split(measured, figure) is not None:
        return ""
    return (
        "Nothing tells whether the unlabelled images helped: pass "
        "`validation_data`, which also choose the better model, or `test_data`."
    )
