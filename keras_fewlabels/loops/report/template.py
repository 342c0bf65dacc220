"""Templates of Jinja2, which is loaded only when one is rendered."""


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
    try:
        import jinja2
    except ImportError as error:
        raise ImportError(
            "The page of a report is made by Jinja2, which is not installed. "
            "Run `pip install keras-fewlabels[report]`."
        ) from error
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("keras_fewlabels.loops.report", ""),
        autoescape=autoescape,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(name)
