"""Templates of Jinja2, which is loaded only when one is rendered."""

import functools
import re

from keras_fewlabels.foundation import optional_import, printable

# What Markdown and its dialects read as more than itself: raw HTML, links,
# images, cells, emphasis, code, mathematics, references to people and issues.
# A colon between digits, and an underscore within a word, are harmless.
_MARKDOWN = re.compile(
    r"[\\`*\[\]<>&|!#~$^{}@]"
    r"|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"
    r"|:(?=[^\s\d])|(?<=www)\."
)


def jinja_template(name):
    """Loads a template out of this folder, with one escape for all it shows.

    Invisible characters are shown by `printable`. Characters that HTML gives a
    meaning to, or in a `.md` file Markdown, become entities.

    Args:
        name: String, the name of its file, such as `"page.html.jinja"`.

    Returns:
        A `jinja2.Template`.

    Raises:
        ImportError: If Jinja2 is not installed.
    """
    jinja2 = optional_import("jinja2", "report")
    markup = optional_import("markupsafe", "report").Markup
    escape = markdown_text if name.endswith(".md.jinja") else None
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("keras_fewlabels.loops.report", ""),
        autoescape=True,
        finalize=functools.partial(_shown, markup, escape),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(name)


def markdown_text(text):
    """Returns a text that Markdown shows as it is, in one line.

    Example:

    >>> from keras_fewlabels.loops.report.template import markdown_text
    >>> markdown_text("a|b, <script>, snake_case")
    'a&#124;b, &#60;script&#62;, snake_case'
    """
    return _MARKDOWN.sub(lambda found: f"&#{ord(found[0])};", printable(text))


def _shown(markup, escape, value):
    # The output of a macro has been through here.
    if isinstance(value, markup):
        return value
    return printable(value) if escape is None else markup(escape(value))
