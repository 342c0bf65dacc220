"""Parts of a model that Keras alone cannot load."""

import keras


def check_parts(operation, packages):
    """Checks that Keras alone, in safe mode, can load a layer.

    Args:
        operation: A layer or another operation.
        packages: Sequence of strings, packages whose parts may stay.

    Raises:
        ValueError: If the layer has code of the user, or a part of another
            package, inside.
    """
    found = foreign_parts(keras.saving.serialize_keras_object(operation))
    if "code" in found:
        raise ValueError(
            "The classifier has code inside, which Keras does not load from a "
            "file. Write it with layers of Keras or `keras.ops`. "
            f"Received: layer {operation.name!r} with {found['code']}"
        )
    foreign = {name: found[name] for name in found if name not in packages}
    if foreign:
        raise ValueError(
            "The classifier has parts that Keras alone cannot load. Build it "
            "of layers of Keras; or name their packages in `packages`, if "
            "all programs that load the file import them. "
            f"Received: layer {operation.name!r} with {foreign}"
        )


def foreign_parts(config):
    """Finds the parts of a config that need a package other than Keras.

    Args:
        config: What `keras.saving.serialize_keras_object` made.

    Returns:
        Dict of the names of packages to sorted lists of the names of their
        classes and functions. Code of the user, such as a `Lambda` layer, has
        the package `"code"`.
    """
    found = {}
    for package, name in _parts(config):
        if package != "keras":
            found.setdefault(package, set()).add(name)
    return {package: sorted(names) for package, names in found.items()}


def _parts(config):
    """Yields the package and name of each part, at any depth."""
    if isinstance(config, (list, tuple)):
        for entry in config:
            yield from _parts(entry)
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
    for entry in config.values():
        yield from _parts(entry)
