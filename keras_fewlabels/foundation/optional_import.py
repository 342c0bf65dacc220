"""Packages that only some functions need."""

import importlib


def optional_import(module, extra):
    """Imports a module that an extra of this package brings.

    Args:
        module: String, such as `"matplotlib.figure"`.
        extra: String, the extra of this package that installs it.

    Returns:
        The module.

    Raises:
        ImportError: If it is not installed, with the command that installs
            it.

    Example:

    >>> optional_import("json", "plots").loads("[1]")
    [1]
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"`{module}` is needed here and cannot be imported. Run "
            f'`pip install "keras-fewlabels[{extra}]"`. Received: {error}'
        ) from error
