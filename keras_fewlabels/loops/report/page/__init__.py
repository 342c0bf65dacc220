"""The page of a report."""

from keras_fewlabels.loops.report.page.examples import (
    choose_examples,
    foreign_rows,
)
from keras_fewlabels.loops.report.page.report_page import report_page

__all__ = ["choose_examples", "foreign_rows", "report_page"]
