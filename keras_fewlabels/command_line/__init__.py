"""The command `keras-fewlabels`: a few calls of the package per command."""

from keras_fewlabels.command_line.main import main

__all__ = ["main"]
