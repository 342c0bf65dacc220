"""An empty figure of matplotlib, which is imported only when one is drawn."""

from keras_fewlabels.foundation import optional_import

# Colours of what is right or won, and of what is wrong or lost.
RIGHT, WRONG = "tab:blue", "tab:red"
# Colour of outlines and of what is neither right nor wrong.
OUTLINE = "0.2"


def new_figure(width, height):
    """Returns an empty figure that `matplotlib.pyplot` does not manage.

    Nothing is shown or kept open, and no setting of pyplot changes, so that
    plots can be drawn in a script, in a test, and on a server without a
    screen.

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
    matplotlib_figure = optional_import("matplotlib.figure", "plots")
    return matplotlib_figure.Figure(
        figsize=(width, height), layout="constrained"
    )
