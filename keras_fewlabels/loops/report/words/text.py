"""The numbers of a `FitReport` in words, for its table and its page."""

from keras_fewlabels.evaluation.verdicts import accuracy_interval
from keras_fewlabels.loops.report.words.compared import (
    compared_figure,
    figure_in_words,
    known_split,
)
from keras_fewlabels.loops.report.words.several_labels import (
    has_several_labels,
    hidden_labels,
)

# Why phases are left out that Ctrl-C has ended.
INTERRUPTED = "the run was interrupted"
# Where no more can be foreign, it need not be said.
_FEW_FOREIGN = 0.05


def headline(details):
    """Returns how good the kept model is, and that of labels alone."""
    last, figure = kept_phase(details), compared_figure(details)
    split = known_split([last], figure)
    if split is None:
        nothing = f"No {figure_in_words(details)} was measured"
        return _by_cross_validation(details) or nothing
    count = last[split]["num_images"]
    text = "mAP " if has_several_labels(details) else ""
    text += f"{percent(last[split][figure])} on {count:,} {split} images"
    name, reference = "supervised phase", details["phases"][0]
    if reference["name"] == "linear probe":
        name = "linear probe"
    if details.get("baseline"):
        name, reference = "labels alone", details["baseline"]
    if reference is last or known_split([reference, last], figure) != split:
        return text
    text += f"; {name} {percent(reference[split][figure])}"
    probe = details.get("linear_probe")
    if probe and known_split([probe, last], figure) == split:
        text += f"; linear probe {percent(probe[split][figure])}"
    return text


def _by_cross_validation(details):
    """Returns how good the last head is that labels could measure."""
    measured = [p for p in details["phases"] if p.get("cross_validation")]
    if not measured:
        return ""
    last = measured[-1]
    text = f"{cross_validated(last)} ({last['name']})"
    if last is not details["phases"][-1]:
        text += "; later phases were not measured"
    return text


def cross_validated(phase):
    """Returns what a cross-validation says of a phase, in words."""
    found = phase["cross_validation"]
    text = f"{result(phase, 'cross_validation')} labels"
    if found.get("mean_average_precision") is not None:
        text = f"mAP {percent(found['mean_average_precision'])} on "
        text += f"{found['num_images']:,} labelled images"
    return f"{text} by cross-validation"


def left_out_line(details):
    """Returns a sentence on what was left out, and why, or `""`."""
    left_out = details.get("left_out") or ()
    interrupted = [e["name"] for e in left_out if e["why"] == INTERRUPTED]
    no_time = [e["name"] for e in left_out if e["why"] != INTERRUPTED]
    lines = []
    if no_time:
        limit = details.get("time_limit")
        # A run that was killed may go on without the limit that it had.
        known = "" if limit is None else f"; `time_limit` was {limit:g} s"
        lines.append(f"There was no time for {', '.join(no_time)}{known}.")
    if interrupted:
        lines.append(f"Ctrl-C left out {', '.join(interrupted)}.")
    return " ".join(lines)


def pool_line(details):
    """Returns a sentence on foreign unlabelled images, or `""`."""
    found = [phase["pool"] for phase in details["phases"] if phase.get("pool")]
    if not found or found[0]["foreign_share"] is None:
        return ""
    count, total = found[0]["num_foreign"], found[0]["num_images"]
    low, high = found[0]["foreign_interval"]
    share = 100 * found[0]["foreign_share"]
    if not count:
        line = (
            f"None of {total:,} unlabelled images was taken for foreign, so "
            "that heads learned from all"
        )
        if high < _FEW_FOREIGN:
            return f"{line}."
        few = f"the labels are too few to tell up to {100 * high:.0f} %"
        return f"{line}; {few}."
    return (
        f"About {share:.0f} % ({100 * low:.0f} to {100 * high:.0f} %) of "
        f"{total:,} unlabelled images look foreign; {count:,} of them were "
        f"left out, and heads learned from {total - count:,}."
    )


def choice_line(details):
    """Returns a sentence on which head was kept, and why, or `""`."""
    phases = details["phases"]
    chosen = [n for n, each in enumerate(phases) if each.get("choice")]
    if not chosen:
        return ""
    choice = phases[chosen[-1]]["choice"]
    gain, error = choice["gain"], choice["error"]
    hidden = hidden_labels(details, choice["num_images"])
    line = (
        f"Kept after self-training: the {choice['kept']}. In the "
        f"cross-validation, self-training made {hidden} "
        f"{'more' if gain > 0 else 'less'} likely, their "
        f"log-likelihood changed by {gain:+.3f} on average (standard error "
        f"{error:.3f})."
    )
    later = phases[chosen[-1] + 1 :]
    if later and not any(phase.get("validation") for phase in later):
        line += (
            " No label was left to compare the phases after it: pass "
            "`validation_data` for that."
        )
    return line


def undone_line(details):
    """Returns a sentence on phases that were not kept, or `""`."""
    undone = [phase_name(p) for p in details["phases"] if p.get("kept")]
    if not undone:
        return ""
    return (
        "Layers that were not kept, because the model was worse with them: "
        f"those of {', '.join(undone)}."
    )


def start_line(details):
    """Returns a sentence if the first layers had learned labels, or `""`."""
    if not details.get("layers_know_labels"):
        return ""
    return (
        "The run went on from a model whose layers have learned labels, so "
        "that labels can neither measure nor calibrate it: pass "
        "`validation_data` for that."
    )


def examined_on(details):
    """Returns the images that the kept model was examined on, or `""`."""
    examined = details.get("examined")
    if not examined:
        return ""
    if examined["split"] == "cross-validation":
        return f"labels, by cross-validation ({examined['name']})"
    return f"{examined['split']} images"


def examined_line(details):
    """Returns what the examined images tell beside the accuracy, or `""`."""
    examined = details.get("examined") or {}
    found = examined.get("calibration")
    if not found:
        return ""
    error = 100 * found["expected_calibration_error"]
    count = sum(each["num_images"] for each in found["bins"])
    kind = "decisions on " if has_several_labels(details) else ""
    return (
        f"Balanced accuracy {percent(examined['balanced_accuracy'])}, mean "
        f"confidence {percent(found['confidence'])} and expected calibration "
        f"error {error:.1f} points, where the accuracy is "
        f"{percent(found['accuracy'])} on {count:,} {kind}"
        f"{examined_on(details)}."
    )


def kept_phase(details):
    """Returns the phase, or baseline, that the kept model comes from."""
    kept = (details.get("verdict") or {}).get("kept")
    if kept == "baseline":
        return details["baseline"]
    return details["phases"][0 if kept == "supervised phase" else -1]


def data_line(data):
    """Returns the number of images of each kind, in one line."""
    kinds = {
        "num_labeled": "labelled",
        "num_validation": "validation",
        "num_unlabeled": "unlabelled",
        "num_test": "test",
    }
    counts = [
        f"{data[key]:,} {kind}" for key, kind in kinds.items() if data.get(key)
    ]
    kind = "labels" if data.get("several_labels") else "classes"
    return f"images: {', '.join(counts)}; {data['num_classes']:,} {kind}"


def validation_line(details):
    """Returns a sentence if validation images were learned, or `""`.

    They count as labelled images then, though the first phase was validated
    with them.
    """
    measured = details["phases"][0].get("validation")
    if not measured or details["data"].get("num_validation") != 0:
        return ""
    return (
        f"{measured['num_images']:,} of the labelled images were validation "
        "images of the first phase, and were learned afterwards."
    )


def phase_name(phase):
    """Returns the name of a phase, with its generation if it is not 0."""
    generation = phase.get("generation")
    return f"{phase['name']} {generation}" if generation else phase["name"]


def result(part, split):
    """Returns the accuracy of a phase, its interval and number of images."""
    if (part.get(split) or {}).get("accuracy") is None:
        return ""
    measured = part[split]
    accuracy, count = measured["accuracy"], measured["num_images"]
    interval = accuracy_interval(accuracy, count, measured.get("deviation"))
    return with_interval(accuracy, interval, count)


def with_interval(accuracy, interval, count):
    """Returns an accuracy with its interval and number of images."""
    low, high = interval
    # More digits than the interval is sure of would only hide it.
    digits = 0 if count < 10_000 else 1
    interval = f"{100 * low:.{digits}f}-{100 * high:.{digits}f}"
    return f"{percent(accuracy)} ({interval}) of {count:,}"


def percent(share):
    """Returns a fraction in percent with one decimal; `""` for `None`."""
    return "" if share is None else f"{100 * share:.1f} %"


def points(difference):
    """Returns the difference of two fractions, in percentage points."""
    # Rounded first, for a tiny loss is written +0.0, not -0.0.
    return f"{round(100 * difference, 1) + 0.0:+.1f}"


def duration(seconds):
    """Returns seconds as `1:23` or `1:00:00`."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{seconds:02}"
    return f"{minutes}:{seconds:02}"
