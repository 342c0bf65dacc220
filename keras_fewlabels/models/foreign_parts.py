"""What Keras alone cannot load."""


def foreign_parts(config):
    """The parts of a config that need a package other than Keras.

    Args:
        config: What `keras.saving.serialize_keras_object` made.

    Returns:
        Dict of the names of packages to sorted lists of the names of their
        classes and functions. What is code of the user's, such as a `Lambda`
        layer, has the package `"code"`.
    """
    found = {}
    for package, name in _parts(config):
        if package != "keras":
            found.setdefault(package, set()).add(name)
    return {package: sorted(names) for package, names in found.items()}


def _parts(config):
    """The package and name of each part, at any depth."""
    if isinstance(config, (list, tuple)):
        for each in config:
            yield from _parts(each)
    if not isinstance(config, dict):
        return
    name = config.get("class_name")
    if name == "Lambda" or name == "__lambda__":
        yield "code", "Lambda"
    elif name == "function":
        package, has_package, function = str(config["config"]).partition(">")
        yield (package, function) if has_package else ("code", package)
    elif isinstance(name, str) and config.get("module"):
        yield config["module"].partition(".")[0], name
    for each in config.values():
        yield from _parts(each)
