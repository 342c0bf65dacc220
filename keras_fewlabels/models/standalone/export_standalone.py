import dataclasses
import shutil

import numpy as np

from keras_fewlabels.foundation import Result, writable_folder
from keras_fewlabels.models.standalone.class_names_of import class_names_of
from keras_fewlabels.models.standalone.formats import (
    exported_predictions,
    write_format,
)

_FILES = {
    "keras": "model.keras",
    "saved_model": "saved_model",
    "onnx": "model.onnx",
    "litert": "model.tflite",
}


def export_standalone(model, folder, sample, *, formats=tuple(_FILES)):
    """Writes a standalone model in several formats, and compares each.

    Every file is loaded by the runtime that it is made for, which predicts
    the sample. The report has the largest difference of these probabilities
    to those of Keras. A format that the installed packages cannot write
    raises no error; the report has the reason.

    | format | file | backend of Keras | needs |
    |---|---|---|---|
    | `keras` | `model.keras` | any | |
    | `saved_model` | `saved_model/` | TensorFlow, JAX | TensorFlow |
    | `onnx` | `model.onnx` | any | tf2onnx, onnxscript or jax2onnx; \
onnxruntime to compare |
    | `litert` | `model.tflite` | TensorFlow | |

    `pip install "keras-fewlabels[export]"` installs what ONNX needs on
    TensorFlow. All four files have the class names inside, see
    `class_names_of`. They take images as float32, with values from 0 to 255,
    of any size. A LiteRT file takes only the height and width of the sample.
    An ONNX file written with JAX takes only the shape of the sample, its
    number of images included.

    Args:
        model: What `standalone` returned.
        folder: String or path, which is created if it does not exist. Files
            of an earlier export are replaced.
        sample: Array of a few images of shape
            `(num_images, height, width, channels)` with values from 0 to 255.
        formats: List of names out of the table. By default all of them.

    Returns:
        An `ExportReport`, which prints as a table and has `to_dict()` and
        `save(folder)`.

    Raises:
        ValueError: If `model` has no class names, `folder` is not a path,
            `sample` has another shape, or `formats` is not a list of names
            out of the table.
        OSError: If the folder cannot be created or takes no files.

    Example:

    >>> import tempfile
    >>> classifier = keras.Sequential(
    ...     [
    ...         keras.Input((8, 8, 1)),
    ...         keras.layers.Flatten(),
    ...         keras.layers.Dense(2),
    ...     ]
    ... )
    >>> model = keras_fewlabels.models.standalone(
    ...     classifier, ["cat", "dog"], image_size=(8, 8), value_range=(0, 1)
    ... )
    >>> sample = np.random.default_rng(0).integers(0, 256, (2, 9, 9, 1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     report = keras_fewlabels.models.export_standalone(
    ...         model, folder, sample, formats=["keras"]
    ...     )
    >>> report.to_dict()["keras"]["difference"] < 1e-5
    True
    """
    names = class_names_of(model)
    sample = _checked_sample(model, sample)
    _check_formats(formats)
    folder = writable_folder(folder)
    expected = model.predict(sample, verbose=0)
    return ExportReport(
        [
            _row(model, name, folder / _FILES[name], names, sample, expected)
            for name in formats
        ]
    )


@dataclasses.dataclass(frozen=True)
class ExportReport(Result):
    """The files of an export, and how well they agree with Keras.

    `export_standalone` returns it. `print(report)` shows a table, and
    `save(folder)` writes `export.json`.

    Args:
        rows: List with a dict for each format: `format`; `path`, a string, or
            `None` if there is no file; `megabytes`; `difference`, the largest
            absolute difference of a probability to that of Keras, or `None`
            if nothing was compared; and `note`, the reason for a `None`, or
            `""`.

    Example:

    >>> from keras_fewlabels.models.standalone.export_standalone import (
    ...     ExportReport,
    ... )
    >>> row = {"format": "onnx", "path": "out/model.onnx", "megabytes": 1.5}
    >>> print(ExportReport([{**row, "difference": 3e-8, "note": ""}]))
    format       MB      difference
    onnx        1.5           3e-08  out/model.onnx
    """

    rows: list
    file_name = "export"

    def to_dict(self):
        """Returns a dict of formats to their rows, which JSON can hold."""
        return {row["format"]: dict(row) for row in self.rows}

    def __str__(self):
        lines = [f"{'format':<12}{'MB':>3}  {'difference':>14}"]
        return "\n".join([*lines, *map(_line, self.rows)])


def _line(row):
    size = "" if row["megabytes"] is None else f"{row['megabytes']:.1f}"
    error = "" if row["difference"] is None else f"{row['difference']:.0e}"
    words = "  ".join(text for text in (row["path"], row["note"]) if text)
    return f"{row['format']:<10}{size:>5}  {error:>14}  {words}"


def _row(model, name, path, names, sample, expected):
    row = {"format": name, "path": None, "megabytes": None}
    row |= {"difference": None, "note": ""}
    _remove(path)
    try:
        write_format(name, model, path, names, sample)
    except Exception as error:
        # Converters raise errors of any kind, and leave half a file behind.
        _remove(path)
        return row | {"note": f"not written: {_reason(error)}"}
    row |= {"path": str(path), "megabytes": _megabytes(path)}
    try:
        predictions = exported_predictions(name, path, sample)
    except Exception as error:
        return row | {"note": f"not compared: {_reason(error)}"}
    difference = np.abs(predictions - expected).max()
    return row | {"difference": float(difference)}


def _checked_sample(model, sample):
    shape = getattr(sample, "shape", ())
    channels = model.input_shape[-1]
    if len(shape) != 4 or not shape[0] or shape[-1] != channels:
        raise ValueError(
            "`sample` must be an array of a few images of shape (num_images, "
            f"height, width, {channels}). Received: shape={tuple(shape)}"
        )
    return np.asarray(sample, "float32")


def _check_formats(formats):
    is_list = isinstance(formats, (list, tuple)) and formats
    if not is_list or set(formats) - set(_FILES):
        raise ValueError(
            f"`formats` must be a list of names out of {list(_FILES)}. "
            f"Received: formats={formats!r}"
        )


def _reason(error):
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"needs the package {error.name}"
    first_line = str(error).strip().partition("\n")[0]
    # The messages of Keras and of this package need no name of the error.
    if isinstance(error, (ImportError, RuntimeError)) and first_line:
        return first_line
    return f"{type(error).__name__}: {first_line}"


def _remove(path):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _megabytes(path):
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(f.stat().st_size for f in files if f.is_file()) / 1e6
