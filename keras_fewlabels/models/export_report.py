import dataclasses


@dataclasses.dataclass(frozen=True)
class ExportReport:
    """Which files an export wrote, and how far they are from Keras.

    `export_standalone` returns it. `print(report)` shows the table.

    Args:
        rows: List with a dict for each format: `format`; `path`, a string, or
            `None` if there is no file; `megabytes`; `difference`, the largest
            absolute difference of a probability to that of Keras, or `None`
            if nothing was compared; and `note`, why something is `None`, or
            `""`.

    Example:

    >>> from keras_fewlabels.models.export_report import ExportReport
    >>> row = {"format": "onnx", "path": "out/model.onnx", "megabytes": 1.5}
    >>> print(ExportReport([{**row, "difference": 3e-8, "note": ""}]))
    format       MB  off by at most
    onnx        1.5           3e-08  out/model.onnx
    """

    rows: list

    def to_dict(self):
        """Returns a dict of formats to their rows, which JSON can hold."""
        return {row["format"]: dict(row) for row in self.rows}

    def __str__(self):
        lines = [f"{'format':<12}{'MB':>3}  {'off by at most':>14}"]
        return "\n".join([*lines, *map(_line, self.rows)])


def _line(row):
    size = "" if row["megabytes"] is None else f"{row['megabytes']:.1f}"
    off = "" if row["difference"] is None else f"{row['difference']:.0e}"
    what = "  ".join(str(each) for each in (row["path"], row["note"]) if each)
    return f"{row['format']:<10}{size:>5}  {off:>14}  {what}"
