"""The report of `fit_noisy_student`, and the files it writes."""

from keras_fewlabels.loops.report.fit_report import FitReport

__all__ = ["FitReport"]
