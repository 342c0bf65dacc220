import importlib


def load_functions(module):
    """Imports functions that need SciPy and Pillow, which are optional.

    Args:
        module: String, a module of this folder that has `FUNCTIONS`.

    Returns:
        Dict of names to functions.

    Raises:
        ImportError: If SciPy or Pillow is not installed.
    """
    try:
        path = f"keras_fewlabels.evaluation.{module}"
        return importlib.import_module(path).FUNCTIONS
    except ImportError as error:
        raise ImportError(
            "Images are corrupted by SciPy and Pillow, which are not both "
            'installed. Run `pip install "keras-fewlabels[evaluation]"`.'
        ) from error
