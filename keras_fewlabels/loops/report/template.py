"""Templates of Jinja2, which is loaded only when one is rendered."""

from keras_fewlabels.foundation import optional_import


def jinja_template(name, autoescape):
    """Loads a template out of this folder.

    Args:
        name: String, the name of its file.
        autoescape: Boolean, whether what it shows is escaped for HTML.

    Returns:
        A `jinja2.Template`.

    Raises:
        ImportError: If Jinja2 is not installed.
    """
    jinja2 = optional_import("jinja2", "report")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("keras_fewlabels.loops.report", ""),
        autoescape=autoescape,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(name)
