import io
import json
import textwrap

from keras_fewlabels.foundation import (
    Result,
    as_json,
    is_small,
    text_table,
    writable_folder,
    write_whole,
)
from keras_fewlabels.loops.report.figures import report_figures
from keras_fewlabels.loops.report.model_card import model_card
from keras_fewlabels.loops.report.page import foreign_rows, report_page
from keras_fewlabels.loops.report.rows import phase_rows, waterfall_rows
from keras_fewlabels.loops.report.run_files import RunFiles, settings_json
from keras_fewlabels.loops.report.words.several_labels import decisions_line
from keras_fewlabels.loops.report.words.text import (
    choice_line,
    data_line,
    duration,
    examined_line,
    left_out_line,
    pool_line,
    start_line,
    undone_line,
)
from keras_fewlabels.loops.report.words.verdict_line import verdict_line

_NEEDED = ("seed", "seconds", "data", "settings", "why", "phases", "versions")


class FitReport(Result):
    """The phases and results of a fit loop, as a table, a dict and a page.

    `fit_noisy_student` returns one. `print(report)` shows the table,
    `report.save(folder)` writes a page with plots, the model and the labels of
    the unlabelled images. All accuracies are
    fractions in 0 to 1, next to the number of images they were measured on;
    table and page give percent. NaN and infinity become `None`, since JSON
    has neither.

    Args:
        details: Dict of what JSON can hold:

            - `seed`: Int. `seconds`: Float, the time of the whole fit.
            - `data`: Dict of `num_classes`, `class_names` or `None`,
              `class_counts` of the labelled images, `image_shape`, `dtype`,
              `value_range`, `num_labeled`, `num_validation`, `num_unlabeled`
              and `num_test`. `several_labels`: Optional boolean, whether
              several may be true of an image.
            - `settings`: Dict of names to values. `why`: Dict of the same
              names to a sentence.
            - `phases`: List with a dict per phase: `name`, `generation`,
              `steps`, `seconds`, `best_epoch` counted from 0, `validation`
              and `test` (dicts of `accuracy`, `loss` and `num_images`; of
              several labels, of whose decisions `accuracy` is the share that
              is right, also its `deviation` among images and the
              `mean_average_precision`),
              `cross_validation` (a dict likewise),
              `history`, and `pseudo_labels` (a dict of `mask_ratio`,
              `confidence`, `class_shares` and `accuracy`, as the policy has
              them at the end of the phase, or as the head learns them that is
              fitted then). The last six can be `None`.
              Optional `temperature`, by which the logits of the model that
              was measured are divided, and `kept`, what was kept instead of
              what was trained. Optional `choice` of a head, a dict of `kept`,
              `gain` (of the mean log-likelihood of the hidden labels of an
              image by self-training), its `error`, and `num_images`.
              Optional `seconds_since_start`, from the start of the run to the
              end of the phase. In a run that went on from a backup it is the
              sum of what the phases took.
            - `baseline`: Optional phase, without unlabelled images.
            - `linear_probe`: Optional dict of `name`, `seconds`, `validation`
              and `test`.
            - `waterfall`: Optional list of dicts of `name`, `validation` and
              `test`, each with one part more than the one before.
            - `verdict`: Optional dict, that of `Verdict`, with
              `figure`, what the difference is of: `"accuracy"`,
              `"balanced_accuracy"` or `"mean_average_precision"`; with
              `split`, with `reference`, `"baseline"` or `"supervised phase"`,
              with `kept`, one of these or `"student"`, and with
              `linear_probe`, a dict of `accuracy`, `accuracy_of_kept` (both
              of that figure) and `is_better`, or `None`.
            - `examined`: Optional dict on the returned model: `split`, the
              images it was examined on, `"test"` or else `"validation"`, or
              `"cross-validation"` for labels and the heads of the phase
              `name`;
              `confusion` (counts by true and predicted class; of several
              labels, "no" to the label `k` is the class `2 * k` here, and
              "yes" is `2 * k + 1`); `mistakes`
              (dicts of `index`, `true`, `predicted`, `confidence`); and
              optional `examples` (dicts likewise, of images of every cell),
              `recalls` (dicts of `num_images`, `num_right`, `recall`
              and its `interval`, a pair, for each class),
              `balanced_accuracy`, the mean recall, and `calibration` (a dict
              of `expected_calibration_error`, mean `confidence`, `accuracy`,
              and `bins` of the confidence with `low`, `high`, `num_images`,
              `num_right` and mean `confidence`).
            - `layers_know_labels`: Optional boolean, whether the run started
              from layers that an earlier run had trained.
            - `findings`: Optional dict, that of `data.FolderFindings`.
            - `time_limit`: Optional number of seconds. `left_out`: Optional
              list of dicts of `name` and `why`, phases and steps without time.
            - `versions`: Dict of packages to versions.
        files: Optional `RunFiles`, further files to write.

    Raises:
        ValueError: If something is missing, or JSON cannot hold it.

    Example:

    >>> from keras_fewlabels.loops.report.fit_report import FitReport
    >>> phase = {"name": "supervised", "generation": 0, "steps": 2000}
    >>> result = {"accuracy": 0.61, "loss": 1.1, "num_images": 500}
    >>> report = FitReport(
    ...     {
    ...         "seed": 0,
    ...         "seconds": 300,
    ...         "data": {"num_labeled": 4500, "num_classes": 10},
    ...         "settings": {},
    ...         "why": {},
    ...         "phases": [{**phase, "seconds": 290, "validation": result}],
    ...         "versions": {},
    ...     }
    ... )
    >>> print(report)
    phase       steps  time    validation accuracy
    supervised  2,000  4:50  61.0 % (57-65) of 500
    <BLANKLINE>
    images: 4,500 labelled; 10 classes
    seed 0, 5:00
    """

    def __init__(self, details, files=None):
        missing = [name for name in _NEEDED if not _has(details, name)]
        if missing:
            raise ValueError(
                f"`details` must be a dict with {', '.join(_NEEDED)}, and at "
                f"least one phase. Received: details without {missing}"
            )
        try:
            text = json.dumps(details)
        except (TypeError, ValueError) as error:
            raise ValueError(
                "`details` must hold only what JSON can: dicts, lists, "
                "strings, numbers, booleans and None. `tolist()` makes such "
                f"of an array. Received: {error}"
            ) from error
        self._details = json.loads(text, parse_constant=lambda _: None)
        self._files = files or RunFiles({})

    def to_dict(self):
        """Returns a copy of all details, a dict that JSON can hold."""
        return json.loads(json.dumps(self._details))

    def __str__(self):
        details = self._details
        lines = _lines(phase_rows(details))
        if details.get("baseline"):
            lines.append(f"baseline: {details['baseline']['name']}")
        lines += ["", *_lines(waterfall_rows(details))]
        # One blank line, also where no waterfall follows the phases.
        lines += [""] if lines[-1] else []
        for text in (
            decisions_line(details),
            verdict_line(details),
            examined_line(details),
            start_line(details),
            choice_line(details),
            undone_line(details),
            pool_line(details),
            left_out_line(details),
        ):
            lines += textwrap.wrap(text, 79)
        lines.append(data_line(details["data"]))
        time = duration(details["seconds"])
        lines.append(f"seed {details['seed']}, {time}")
        return "\n".join(lines)

    def figure(self):
        """Draws the accuracies of the phases, or else the learning curves.

        The accuracies are drawn over the time since the start of the run, or
        as bars if the phases have no times. Of several labels per image, the
        mean average precisions are drawn instead.

        Returns:
            A `matplotlib.figure.Figure`, or `None` if there is neither.

        Raises:
            ImportError: If matplotlib is not installed.
        """
        figures = report_figures(self._details)
        return (
            figures["accuracy_over_time"]
            or figures["comparison"]
            or figures["learning_curves"]
        )

    def save(self, folder):
        """Writes the report into a folder, over an earlier one.

        - `report.json`: what `to_dict()` returns. It is there first, and
          stays if a package for the rest is missing.
        - `index.html`: a page that needs no other file and no network. A
          click on a cell of the confusion matrix shows its images.
        - `accuracy_over_time.png` or, if the phases have no times,
          `comparison.png`; `waterfall.png`, `learning_curves.png`,
          `pseudo_labels.png`, `reliability.png`, `confusion_matrix.png` and
          `mistakes.png`: the plots of the page, as far as there are any.
        - `README.md`: a card of the model, in the form of the Hugging Face
          hub. `settings.json`: settings, seed and versions, to run it again.
        - `model.keras`: the model that the fit returned, and `last.keras`:
          that of the last phase, if another was kept.
        - `pseudo_labels.csv`: label, confidence, and the weight in the loss of
          each unlabelled image. It is written last. Where the run does not
          know their labels, all images are predicted when the report is saved
          for the first time, by the model as it then is. A line shows how many
          are done.

        Args:
            folder: String or path, which is created if it does not exist.

        Raises:
            OSError: If the folder cannot be written to.
            ImportError: If Jinja2 or matplotlib is not installed.
        """
        folder = writable_folder(folder)
        write_whole(folder / "report.json", as_json(self._details))
        # The model first: all else can be made again.
        self._files.save_models(folder)
        figures = report_figures(self._details, self._files.mistakes)
        pictures = {name: _png(figures[name]) for name in figures}
        files = {f"{name}.png": png for name, png in pictures.items()}
        files |= {
            "settings.json": settings_json(self._details),
            "README.md": model_card(self._details),
            "index.html": self._page(pictures),
            # That of an earlier report, whose labels are others.
            "pseudo_labels.csv": None,
        }
        for name, content in files.items():
            _write(folder / name, content)
        # Last, for that of many images takes long.
        class_names = self._details["data"].get("class_names")
        labels = self._files.pseudo_labels_csv(class_names)
        _write(folder / "pseudo_labels.csv", labels)

    def _page(self, pictures):
        examined = self._details.get("examined") or {}
        thumbnails = self._files.thumbnails(
            examined.get("examples"),
            foreign_rows(self._details),
            self._details["data"].get("value_range"),
        )
        shape = self._details["data"].get("image_shape") or (0, 0)
        return report_page(self._details, pictures, thumbnails, is_small(shape))


def _write(path, content):
    if content is None:
        # That of an earlier report.
        path.unlink(missing_ok=True)
    else:
        write_whole(path, content)


def _has(details, name):
    has = isinstance(details, dict) and name in details
    return has and (name != "phases" or len(details["phases"]) > 0)


def _lines(rows):
    return text_table(rows[0], rows[1:], num_left=1) if rows else []


def _png(figure):
    if figure is None:
        return None
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=150)
    return file.getvalue()
