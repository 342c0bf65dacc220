"""The tables of a `FitReport`: lists of rows of strings.

The first row holds the headings, and the first column the names. Columns
without any value are left out. A table without rows is an empty list.
"""

from keras_fewlabels.loops.report.words.compared import (
    compared_figure,
    known_split,
)
from keras_fewlabels.loops.report.words.several_labels import (
    has_several_labels,
    kind_names,
)
from keras_fewlabels.loops.report.words.text import (
    duration,
    percent,
    phase_name,
    points,
    result,
    with_interval,
)

# Files of a kind whose names are shown.
_SHOWN_FILES = 3
ACCURACIES = ("validation accuracy", "test accuracy")
# Mean average precisions, of several labels per image.
PRECISIONS = ("cross-validation mAP", "validation mAP", "test mAP")
_SPLITS = ("cross_validation", "validation", "test")


def phase_rows(details):
    """Returns phases, then the baseline and the last phase's gain over it."""
    heads = ["phase", "steps", "time", "cross-validation", *ACCURACIES]
    heads += PRECISIONS
    rows = [heads, *map(_phase_row, details["phases"])]
    baseline = details.get("baseline")
    if baseline:
        # Its name is too long for a cell.
        rows.append(["baseline", *_phase_row(baseline)[1:]])
        gains = list(_gains(baseline, details["phases"][-1]))
        if any(gains):
            rows.append(["gain in points", "", "", *gains])
    probe = details.get("linear_probe")
    if probe:
        rows.append(["linear probe", "", *_outcome(probe)])
    return _known_columns(rows)


def waterfall_rows(details):
    """Returns the steps, with the gain of each over the one before."""
    steps = details.get("waterfall") or []
    heads, measured = ACCURACIES, result
    if has_several_labels(details):
        heads, measured = PRECISIONS[1:], _precision
    rows = [["step", *heads, "gain in points"]]
    figure = compared_figure(details)
    split = known_split(steps, figure)
    for number, step in enumerate(steps):
        gain = ""
        if split and number:
            before = steps[number - 1][split][figure]
            gain = points(step[split][figure] - before)
        results = measured(step, "validation"), measured(step, "test")
        rows.append([step["name"], *results, gain])
    return _known_columns(rows)


def pseudo_label_rows(details):
    """Returns the pseudo-labels at the end of each phase that had some."""
    rows = [["phase", "share used", "confidence", "accuracy"]]
    for phase in details["phases"]:
        labels = phase.get("pseudo_labels")
        if labels:
            shares = map(labels.get, ("mask_ratio", "confidence", "accuracy"))
            rows.append([phase_name(phase), *map(percent, shares)])
    return _known_columns(rows)


def recall_rows(details):
    """Returns the recall of the returned model for each class."""
    examined = details.get("examined") or {}
    recalls = examined.get("recalls") or []
    names = details["data"].get("class_names") or range(len(recalls))
    rows = [[kind_names(details)[0], "recall"]]
    for name, each in zip(names, recalls, strict=bool(recalls)):
        recall = "no images"
        if each["num_images"]:
            recall = with_interval(
                each["recall"], each["interval"], each["num_images"]
            )
        rows.append([name, recall])
    return rows if recalls else []


def pool_rows(details):
    """Returns the shares of classes among labels and unlabelled images."""
    found = [phase["pool"] for phase in details["phases"] if phase.get("pool")]
    counts = details["data"].get("class_counts")
    if not found or not found[0].get("class_shares") or not counts:
        return []
    names = details["data"].get("class_names") or range(len(counts))
    pool = found[0]
    rows = [["class", "of the labels", "of the unlabelled images", ""]]
    for name, count, share, (low, high) in zip(
        names,
        counts,
        pool["class_shares"],
        pool["class_intervals"],
        strict=True,
    ):
        of_labels = count / sum(counts)
        differs = {(True, False): "more", (False, True): "less"}.get(
            (low > of_labels, high < of_labels), ""
        )
        interval = f"{100 * low:.0f}-{100 * high:.0f}"
        rows.append(
            [
                name,
                percent(of_labels),
                f"{percent(share)} ({interval})",
                differs,
            ]
        )
    return _known_columns(rows)


def finding_rows(details):
    """Returns kinds of files that were skipped, or used though unusual."""
    rows = [["files", "", "count", "some of them"]]
    findings = details.get("findings") or {}
    for heading in "skipped", "used":
        for kind in findings.get(heading, ()):
            shown = [f"{file['part']}/{file['file']}" for file in kind["files"]]
            more = ["..."] if len(shown) > _SHOWN_FILES else []
            rows.append(
                [
                    f"{heading}: {kind['kind']}",
                    kind["meaning"],
                    f"{kind['count']:,}",
                    ", ".join(shown[:_SHOWN_FILES] + more),
                ]
            )
    return _known_columns(rows)


def finding_notes(details):
    """Returns lines on the files of a run: their number and the notes."""
    findings = details.get("findings")
    if not findings:
        return []
    count = sum(part["num_files"] for part in findings["folders"].values())
    line = f"All {count:,} files were checked before the training"
    if not findings["skipped"] and not findings["used"]:
        line += ", and none stood out"
    return [f"{line}.", *findings["notes"]]


def _phase_row(phase):
    return [
        phase_name(phase),
        f"{phase['steps']:,}",
        *_outcome(phase),
    ]


def _outcome(part):
    return [
        duration(part["seconds"]),
        *(result(part, split) for split in _SPLITS),
        *(_precision(part, split) for split in _SPLITS),
    ]


def _precision(part, split):
    return percent((part.get(split) or {}).get("mean_average_precision"))


def _gains(baseline, phase):
    for figure in "accuracy", "mean_average_precision":
        # A cross-validation is of heads, and the baseline is fine-tuned.
        yield ""
        for split in "validation", "test":
            before, after = (
                (part.get(split) or {}).get(figure)
                for part in (baseline, phase)
            )
            is_known = None not in (before, after)
            yield points(after - before) if is_known else ""


def _known_columns(rows):
    if len(rows) == 1:
        return []
    columns = zip(*rows, strict=True)
    known = [column for column in columns if any(column[1:])]
    # Names alone say nothing.
    return [list(row) for row in zip(*known, strict=True) if len(row) > 1]
