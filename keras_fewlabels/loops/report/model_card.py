"""The card of a model, in the form of the Hugging Face hub."""

from keras_fewlabels.loops.report.rows import phase_rows, recall_rows
from keras_fewlabels.loops.report.template import jinja_template
from keras_fewlabels.loops.report.words.compared import (
    compared_figure,
    known_split,
)
from keras_fewlabels.loops.report.words.several_labels import (
    decisions_line,
    kind_names,
)
from keras_fewlabels.loops.report.words.text import (
    data_line,
    duration,
    examined_line,
    examined_on,
    headline,
    kept_phase,
    percent,
    validation_line,
)
from keras_fewlabels.loops.report.words.verdict_line import verdict_line

_TEMPLATE = "model_card.md.jinja"
# An accuracy measured on fewer images says little.
_FEW_IMAGES = 500


def model_card(details):
    """Describes a trained model for those who did not train it.

    Args:
        details: Dict, see `FitReport`.

    Returns:
        String of Markdown with a YAML head: classes, labels and pseudo-labels
        of each, accuracies with their intervals, limits, how to load it.

    Raises:
        ImportError: If Jinja2 is not installed.
    """
    kept = kept_phase(details)
    metric = compared_figure(details)
    split = known_split([kept], metric)
    measured = kept[split] if split else None
    pseudo_labels = _pseudo_labels(details)
    data, baseline = details["data"], details.get("baseline")
    kind, kinds = kind_names(details)
    return jinja_template(_TEMPLATE).render(
        headline=headline(details),
        split=split,
        metric=metric,
        results=measured and measured[metric],
        few=bool(measured) and measured["num_images"] < _FEW_IMAGES,
        data=data,
        inputs=_inputs(data),
        from_logits=data.get("from_logits"),
        activation=data.get("activation", "softmax"),
        classes=_with_recalls(
            list(_class_rows(data, pseudo_labels, kind)),
            recall_rows(details),
        ),
        counts=data_line(data),
        decisions=decisions_line(details),
        kind=kind,
        kinds=kinds,
        phases=phase_rows(details),
        baseline=baseline and baseline["name"],
        verdict=verdict_line(details),
        examined=examined_line(details),
        examined_on=examined_on(details),
        pseudo_labels=_limit(pseudo_labels),
        validation=validation_line(details),
        has_test=data.get("num_test") is not None,
        seed=details["seed"],
        time=duration(details["seconds"]),
        versions=details["versions"],
    )


def _inputs(data):
    shape = ", ".join(map(str, data.get("image_shape") or ()))
    low, high = data.get("value_range") or ("?", "?")
    return f"of shape (batch, {shape}), values from {low} to {high}"


def _class_rows(data, pseudo_labels, kind):
    counts = data.get("class_counts") or []
    names = data.get("class_names") or range(len(counts))
    shares = (pseudo_labels or {}).get("class_shares")
    yield kind, "name", "labelled images", "share of the pseudo-labels"
    for number, (name, count) in enumerate(zip(names, counts, strict=True)):
        yield number, name, count, percent(shares[number] if shares else None)


def _with_recalls(classes, recalls):
    """Returns the rows of classes with their recalls, if these are known."""
    if not recalls or len(classes) == 1:
        return classes
    return [
        (*row, recall)
        for row, (_, recall) in zip(classes, recalls, strict=True)
    ]


def _pseudo_labels(details):
    """Returns the pseudo-labels of the last training, or `None`."""
    if kept_phase(details) is not details["phases"][-1]:
        return None
    for phase in reversed(details["phases"]):
        if phase.get("pseudo_labels"):
            return phase["pseudo_labels"]
    return None


def _limit(pseudo_labels):
    if pseudo_labels is None:
        return "The model was trained on labels alone."
    accuracy = pseudo_labels.get("accuracy")
    if accuracy is None:
        return (
            "Most of its training labels are pseudo-labels. It is not known "
            "how many of them are wrong."
        )
    return (
        "Most of its training labels are pseudo-labels. Of these, "
        f"{percent(1 - accuracy)} are wrong."
    )
