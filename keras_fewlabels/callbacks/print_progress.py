"""Lines between two progress bars."""

import logging

import keras


def print_progress(message):
    """Prints a line, or logs it if Keras logs its progress bars.

    Args:
        message: String.
    """
    if keras.config.is_interactive_logging_enabled():
        print(message, flush=True)
    else:
        # The logger of Keras.
        logging.getLogger("absl").info(message)
