import base64
import pathlib

from keras_fewlabels.foundation import class_name, printable, web_page_parts
from keras_fewlabels.loops.report.page.charts import report_charts
from keras_fewlabels.loops.report.page.examples import (
    PER_CELL,
    shown_examples,
)
from keras_fewlabels.loops.report.rows import (
    finding_notes,
    finding_rows,
    phase_rows,
    pool_rows,
    pseudo_label_rows,
    recall_rows,
    waterfall_rows,
)
from keras_fewlabels.loops.report.template import jinja_template
from keras_fewlabels.loops.report.words.compared import figure_in_words
from keras_fewlabels.loops.report.words.several_labels import (
    answer_names,
    decisions_line,
    has_several_labels,
    kind_names,
)
from keras_fewlabels.loops.report.words.text import (
    choice_line,
    duration,
    examined_line,
    examined_on,
    headline,
    left_out_line,
    percent,
    pool_line,
    start_line,
    undone_line,
    validation_line,
)
from keras_fewlabels.loops.report.words.verdict_line import verdict_line

TEMPLATE = "page/page.html.jinja"
_FOLDER = pathlib.Path(__file__).parent
# A table of more classes cannot be read. The most frequent mistakes can.
_MAX_CLASSES, _MAX_PAIRS = 25, 50
_NUM_SHADES = 10


def report_page(details, pictures, thumbnails=None, is_small=False):
    """Returns the page of a `FitReport`, which needs no other file.

    Sections without data are left out. Its colours follow the reader's light
    or dark mode, and wide tables and plots scroll on a phone. Everything but
    the images of cells is there without scripts and on paper. A script, which
    a content security policy names, shows the images of a cell of the
    confusion matrix, finds classes, and draws curves that tell their values.

    Args:
        details: Dict, see `FitReport`.
        pictures: Dict of names of `report_figures` to the bytes of a PNG
            file. Names may be missing.
        thumbnails: Optional dict of `RunFiles.thumbnails`.
        is_small: Boolean, whether they are drawn with sharp edges.

    Returns:
        String of HTML.

    Raises:
        ImportError: If Jinja2 is not installed.

    Example:

    >>> from keras_fewlabels.loops.report.page import report_page
    >>> phase = {"name": "a < b", "generation": 0, "steps": 1, "seconds": 1}
    >>> details = {"phases": [phase], "data": {}, "settings": {}, "why": {}}
    >>> page = report_page(
    ...     {**details, "versions": {}, "seed": 0, "seconds": 1}, {}
    ... )
    >>> "a &lt; b" in page, "<img" in page
    (True, False)
    """
    baseline = details.get("baseline")
    notes = (
        validation_line(details),
        start_line(details),
        choice_line(details),
        undone_line(details),
        left_out_line(details),
        *finding_notes(details),
    )
    shown = shown_examples(details, thumbnails or {})
    confusion = (details.get("examined") or {}).get("confusion")
    names = _class_names(details, len(confusion or ()))
    # The answers to two labels are never confused.
    is_long = len(names) > _MAX_CLASSES or has_several_labels(details)
    parts = _page_parts(details, shown, names, is_small)
    if shown["mistakes"]:
        # The same images, in a smaller file.
        pictures = {**pictures, "mistakes": None}
    return jinja_template(TEMPLATE).render(
        **parts,
        matrix=[] if is_long else _matrix(confusion, names),
        class_names=names,
        confusions=_confusions(confusion) if is_long else [],
        per_cell=PER_CELL,
        shown=shown,
        small=is_small,
        measured=figure_in_words(details).capitalize(),
        kinds=kind_names(details),
        headline=headline(details),
        verdict=verdict_line(details),
        phases=phase_rows(details),
        baseline=baseline["name"] if baseline else None,
        decisions=decisions_line(details),
        waterfall=waterfall_rows(details),
        pseudo_labels=pseudo_label_rows(details),
        examined=examined_on(details),
        examined_line=examined_line(details),
        recalls=recall_rows(details),
        classes=_class_rows(details),
        settings=_setting_rows(details),
        findings=finding_rows(details),
        pool_line=pool_line(details),
        pool=pool_rows(details),
        notes=[note for note in notes if note],
        data=_data_rows(details["data"]),
        run=_run_rows(details),
        pictures={name: _inline(png) for name, png in pictures.items() if png},
    )


def _page_parts(details, shown, names, is_small):
    """Returns style, script and data of the page, by their names in it."""
    data = {
        "examples": shown["examples"],
        "classes": names,
        "charts": report_charts(details),
        "small": is_small,
    }
    parts = web_page_parts(_FOLDER, data)
    parts["data_json"] = parts.pop("data")
    return parts


def _class_names(details, count):
    names = answer_names(details)
    return [printable(class_name(number, names)) for number in range(count)]


def _matrix(confusion, names):
    """Returns rows of the name of a true class, and a dict for each cell."""
    return [
        (
            names[true],
            [
                {
                    **{"true": true, "predicted": predicted, "count": count},
                    "shade": round(_NUM_SHADES * count / (sum(counts) or 1)),
                }
                for predicted, count in enumerate(counts)
            ],
        )
        for true, counts in enumerate(confusion or ())
    ]


def _confusions(confusion):
    """Returns the most frequent mistakes among many classes."""
    pairs = [
        {"true": true, "predicted": predicted, "count": count}
        for true, counts in enumerate(confusion or ())
        for predicted, count in enumerate(counts)
        if count and true != predicted
    ]
    pairs.sort(key=lambda pair: -pair["count"])
    return pairs[:_MAX_PAIRS]


def _inline(png):
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _class_rows(details):
    """Returns a dict per class: its name, and bars of its shares."""
    counts = details["data"].get("class_counts") or []
    names = details["data"].get("class_names") or range(len(counts))
    shares = {"labelled": [count / (sum(counts) or 1) for count in counts]}
    for phase in details["phases"]:
        found = (phase.get("pseudo_labels") or {}).get("class_shares")
        # The pseudo-labels of the last phase that has some.
        shares |= {"pseudo-labelled": found} if found else {}
    largest = max((max(each) for each in shares.values() if each), default=0)
    return [
        {
            "name": name,
            "bars": [
                (kind, percent(each[number]), 100 * each[number] / largest)
                for kind, each in shares.items()
            ],
        }
        for number, name in enumerate(names if largest else ())
    ]


def _setting_rows(details):
    why = details["why"]
    if not details["settings"]:
        return []
    return [
        ["setting", "value", "why"],
        *(
            [name, value, why.get(name, "")]
            for name, value in details["settings"].items()
        ),
    ]


def _data_rows(data):
    kinds = {
        "num_labeled": "labelled images",
        "num_validation": "validation images",
        "num_unlabeled": "unlabelled images",
        "num_test": "test images",
        "num_classes": kind_names({"data": data})[1],
    }
    rows = [
        [name, f"{data[key]:,}"] for key, name in kinds.items() if data.get(key)
    ]
    if data.get("image_shape"):
        shape = " x ".join(map(str, data["image_shape"]))
        rows.append(["size of an image", f"{shape}, {data['dtype']}"])
    if data.get("value_range"):
        low, high = data["value_range"]
        rows.append(["value range", f"{low} to {high}"])
    return rows


def _run_rows(details):
    return [
        ["seed", details["seed"]],
        ["time", duration(details["seconds"])],
        *map(list, details["versions"].items()),
    ]
