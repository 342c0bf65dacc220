"""An empty figure of matplotlib, which is loaded only when one is drawn."""


def new_figure(width, height):
    """Returns an empty figure that `matplotlib.pyplot` does not know.

    Nothing is shown or kept open, and no setting of pyplot changes, so that
    plots can be drawn anywhere: in a script, in a test, on a server.

    Args:
        width: Float, in inches.
        height: Float, in inches.

    Returns:
        A `matplotlib.figure.Figure` with `layout="constrained"`.

    Raises:
        ImportError: If matplotlib is not installed.

    Example:

    >>> from keras_fewlabels.plots.figure import new_figure
    >>> new_figure(6, 4).get_size_inches()
    array([6., 4.])
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            "Plots are drawn by matplotlib, which is not installed. Run "
            "`pip install keras-fewlabels[plots]`."
        ) from error
    return Figure(figsize=(width, height), layout="constrained")
