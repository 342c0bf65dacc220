"""What keeps the command and notebooks quiet while TensorFlow loads."""

import contextlib
import os
import sys


@contextlib.contextmanager
def quiet_start():
    """Opens a scope in which the command and notebooks write no errors.

    TensorFlow writes a few lines while it is loaded, whatever its log level
    is. In a notebook, import this package before Keras to be spared them.
    Errors of Python are raised as ever. Nothing changes for other programs
    that import the package.
    """
    name = os.path.basename(sys.argv[0])
    # Python says "-m" as long as it looks for the module to run.
    is_module = name == "-m" and "keras_fewlabels" in sys.orig_argv
    is_command = is_module or name.startswith("keras-fewlabels")
    if not is_command and "ipykernel" not in sys.modules:
        yield
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
