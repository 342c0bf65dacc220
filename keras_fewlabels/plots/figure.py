"""An empty figure of matplotlib, and names in it.

Matplotlib is imported only when a figure is drawn.
"""

import functools
import io
import textwrap

from keras_fewlabels.foundation import optional_import, printable

# Colours of what is right or won, and of what is wrong or lost.
RIGHT, WRONG = "tab:blue", "tab:red"
# Colour of outlines and of what is neither right nor wrong.
OUTLINE = "0.2"
# Options of every text that holds a name of the user, in which dollar signs,
# backslashes and underscores are no mathematics.
PLAIN = {"parse_math": False, "usetex": False}


def new_figure(width, height):
    """Returns an empty figure that `matplotlib.pyplot` does not manage.

    Nothing is shown or kept open, and no setting of pyplot changes, so that
    plots can be drawn in a script, in a test, and on a server without a
    screen. A notebook shows the figure that a cell ends with.

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
    figure = matplotlib_figure.Figure(
        figsize=(width, height), layout="constrained"
    )
    # IPython itself knows how to show the figures of pyplot alone.
    figure._repr_png_ = functools.partial(_png, figure)
    return figure


def _png(figure):
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def shown_name(name, most=32):
    """Returns a name of the user as plots write it, in one line.

    Args:
        name: String, or object that is converted to one. Its invisible
            characters become escapes, see `printable`.
        most: Int. The middle of longer names is left out, since names often
            differ in their ends.

    Example:

    >>> from keras_fewlabels.plots.figure import shown_name
    >>> shown_name("a" * 300 + " at night", most=20)
    'aaaaaaaaaa… at night'
    """
    name = printable(name)
    if len(name) <= most:
        return name
    start = most // 2
    return f"{name[:start]}…{name[start + 1 - most :]}"


def shown_lines(text, most=36):
    """Returns a text of several lines, each as `shown_name` returns it."""
    return "\n".join(shown_name(line, most) for line in str(text).split("\n"))


def label_places(axis, names, wrap=None, **options):
    """Writes the names of the user beside the places 0, 1, ... of an axis.

    Args:
        axis: `axes.xaxis` or `axes.yaxis`.
        names: Iterable of names.
        wrap: Optional int, the width of lines. Names take two at most.
        **options: Properties of the texts.
    """
    if wrap is None:
        names = [shown_name(name) for name in names]
    else:
        names = ["\n".join(_two_lines(name, wrap)) for name in names]
    axis.set_ticks(range(len(names)), names, **PLAIN, **options)


def count_epochs(axes):
    """Marks whole epochs on the x-axis, also if there is only one."""
    axes.set_xlabel("epoch")
    axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    low, high = axes.get_xlim()
    if high - low < 1:
        axes.set_xlim(low - 0.5, high + 0.5)


def _two_lines(name, width):
    first, *rest = textwrap.wrap(shown_name(name, 200), width) or [""]
    return [first, shown_name(" ".join(rest), width)] if rest else [first]
