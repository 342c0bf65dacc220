"""The command `keras-fewlabels`: a few calls of the package per command."""
