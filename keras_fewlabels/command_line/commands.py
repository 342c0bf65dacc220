"""What each command of `keras-fewlabels` does.

Each takes the parsed arguments and returns the exit code.
"""

import pathlib
import sys
import webbrowser

import keras
import numpy as np

from keras_fewlabels import data, evaluation, loops, models
from keras_fewlabels.data.folders.find_files import find_files
from keras_fewlabels.foundation import (
    csv_text,
    printable,
    writable_folder,
    write_whole,
)

# In the folder of a report: the model as it was trained, and one that takes
# images as they are and knows the names of its classes.
_MODEL, _STANDALONE = "model.keras", "standalone.keras"


def fit(options):
    """Trains a classifier on two folders, and writes its report."""
    folders = data.load_image_folders(
        options.labeled,
        options.unlabeled,
        test=options.test,
        image_size=options.image_size,
        seed=options.seed,
    )
    network = _network(options, folders)
    # Before the training, which may take long.
    output = writable_folder(options.output, "--output")
    model, report = loops.fit_noisy_student(
        network,
        **folders.arguments(),
        time_limit=options.time_limit,
        seed=options.seed,
        on_interrupt="return",
    )
    print(report)
    # Before the report, which ends with labels that may take long.
    try:
        models.standalone(
            model,
            folders.class_names,
            image_size=folders.image_shape[:2],
            value_range=report.to_dict()["data"]["value_range"],
            packages=["keras_hub"],
        ).save(output / _STANDALONE)
    except ValueError as error:
        # What was trained is worth more.
        print(f"No {_STANDALONE} was written: {error}", file=sys.stderr)
    report.save(output)
    print(f"\nThe report is {output / 'index.html'}")
    return 0


def predict(options):
    """Prints or writes the likeliest class of images."""
    model = _load(options.model, _STANDALONE)
    if options.csv:
        # Before the predictions, which may take long.
        table = pathlib.Path(options.csv).expanduser()
        writable_folder(table.parent, "--csv")
    files, unread = _files(options.images)
    rows = []
    for path in files:
        try:
            ((name, probability),) = models.predict_image(model, path, top=1)
        except (ValueError, OSError) as error:
            unread.append(str(error))
            continue
        rows.append([str(path), name, round(probability, 4)])
        if not options.csv:
            print(f"{100 * probability:5.1f} %  {name}  {printable(str(path))}")
    if options.csv:
        write_whole(table, csv_text(["file", "class", "probability"], rows))
    for why in unread:
        print(printable(why), file=sys.stderr)
    return 1 if unread else 0


def audit(options):
    """Ranks the labels of unlabelled images by how doubtful they are."""
    model, folders = _model_and_folders(options)
    return _saved(
        evaluation.audit_pseudo_labels(
            model,
            folders.labeled,
            folders.unlabeled,
            class_names=folders.class_names,
        ),
        options,
    )


def propose(options):
    """Proposes the unlabelled images that are best labelled next."""
    model, folders = _model_and_folders(options)
    return _saved(
        evaluation.next_to_label(
            model,
            folders.labeled,
            folders.unlabeled,
            options.count,
            class_names=folders.class_names,
        ),
        options,
    )


def export(options):
    """Writes a model in formats for other programs."""
    model = _load(options.model, _STANDALONE)
    layer = model.get_layer("resizing")
    size = layer.height, layer.width
    sample = data.ImageFiles(_files(options.images)[0][:8], size)
    report = models.export_standalone(
        model, options.output, np.asarray(sample[:]), formats=options.formats
    )
    print(report)
    is_written = [row["path"] for row in report.rows]
    return 0 if all(is_written) else 1


def report(options):
    """Opens the page of a report."""
    page = pathlib.Path(options.folder).expanduser() / "index.html"
    if not page.exists():
        raise FileNotFoundError(
            "The folder of a report has a file index.html. "
            f"Received: {options.folder!r}"
        )
    print(page)
    webbrowser.open(page.resolve().as_uri())
    return 0


def _network(options, folders):
    """Returns the classifier that the arguments ask for."""
    if pathlib.Path(options.backbone).expanduser().is_file():
        return _load(options.backbone, _MODEL)
    weights = None if options.weights == "none" else options.weights
    return models.classifier(
        options.backbone,
        len(folders.class_names),
        folders.image_shape[:2],
        weights=weights,
    )


def _load(path, name):
    """Loads a model from its file, or from the folder of a report."""
    path = pathlib.Path(path).expanduser()
    file = path / name if path.is_dir() else path
    if not file.exists():
        raise FileNotFoundError(
            "The model must be the folder that `keras-fewlabels fit` wrote, or "
            f"a file of a Keras model. Received: {str(path)!r}, without "
            f"{file.name}"
        )
    return keras.saving.load_model(file)


def _files(paths):
    """Returns the files that are named or in folders, and what has none."""
    files, unread = [], []
    for path in map(pathlib.Path, paths):
        if path.is_dir():
            names, faults = find_files(str(path))
            files += [path / name for name in names]
            unread += [
                f"{path / name} is unreadable: {why}"
                for name, kind, why in faults
                if kind == "unreadable"
            ]
        else:
            files.append(path)
    return files, unread


def _model_and_folders(options):
    model = _load(options.model, _MODEL)
    size = model.input_shape[1:3]
    folders = data.load_image_folders(
        options.labeled,
        options.unlabeled,
        image_size=None if None in size else size,
    )
    return model, folders


def _saved(result, options):
    print(result)
    result.save(options.output)
    print(f"\nWritten to {options.output}")
    return 0
