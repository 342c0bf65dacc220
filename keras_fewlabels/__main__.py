"""Starts the command with `python -m keras_fewlabels`."""

import sys

from keras_fewlabels.command_line.main import main

if __name__ == "__main__":
    sys.exit(main())
