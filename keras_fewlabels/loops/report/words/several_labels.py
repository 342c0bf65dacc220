"""What a report says otherwise of images with several labels."""

from keras_fewlabels.foundation import yes_and_no


def has_several_labels(details):
    """Returns whether several labels may be true of an image."""
    return bool((details.get("data") or {}).get("several_labels"))


def kind_names(details):
    """Returns what the model tells of an image, one of it and many."""
    if has_several_labels(details):
        return "label", "labels"
    return "class", "classes"


def decisions_line(details):
    """Returns what accuracy means if images have several labels, or `""`."""
    if not has_several_labels(details):
        return ""
    return (
        "The accuracy is the share of the decisions, yes or no to each of the "
        f"{details['data']['num_classes']:,} labels of an image, that are "
        "right; mAP is the mean average precision of the labels."
    )


def hidden_labels(details, count):
    """Returns what a cross-validation has hidden of so many images."""
    if has_several_labels(details):
        return f"the hidden labels of {count:,} images"
    return f"{count:,} hidden labels"


def answer_names(details):
    """Returns the names of what can be confused, or `None`.

    They are those of the classes; of several labels per image, those of the
    answers "no" and "yes" to each, in the order of `examine_decisions`.
    """
    names = details["data"].get("class_names")
    if not has_several_labels(details):
        return names
    return yes_and_no(names, details["data"]["num_classes"])
