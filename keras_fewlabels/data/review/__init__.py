"""Vetoes and new labels that people write into CSV files."""

from keras_fewlabels.data.review.image_table import (
    image_hash,
    image_rows,
    write_image_table,
)
from keras_fewlabels.data.review.read_new_labels import read_new_labels
from keras_fewlabels.data.review.read_veto import read_veto, without_vetoed
from keras_fewlabels.data.review.tool_files import (
    check_tool_formats,
    write_cleanlab,
    write_tool_files,
)

__all__ = [
    "check_tool_formats",
    "image_hash",
    "image_rows",
    "read_new_labels",
    "read_veto",
    "without_vetoed",
    "write_cleanlab",
    "write_image_table",
    "write_tool_files",
]
