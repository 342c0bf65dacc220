"""A line between two progress bars."""

import keras
from absl import logging


def print_progress(message):
    """Prints a line, or logs it where Keras logs its progress.

    Args:
        message: String.
    """
    if keras.config.is_interactive_logging_enabled():
        print(message, flush=True)
    else:
        logging.info(message)
