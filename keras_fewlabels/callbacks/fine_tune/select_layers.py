import difflib

import keras


def select_layers(backbone, choice):
    """The layers of a backbone that one stage of fine-tuning trains.

    Args:
        backbone: A layer or model.
        choice: An int, for as many of `backbone.layers` counted from the top;
            `"all"`; a list of the names of layers at any depth; or a function
            that takes a layer at any depth and returns whether it trains.
            A chosen layer trains with all layers inside of it.

    Returns:
        List of layers.

    Raises:
        ValueError: If there are fewer layers than the count, or no layer has
            one of the names.
    """
    if choice == "all":
        return [backbone]
    if isinstance(choice, int):
        return _last(choice, backbone)
    inside = backbone._flatten_layers(include_self=False) or [backbone]
    if callable(choice):
        return [layer for layer in inside if choice(layer)]
    return _named(inside, choice, backbone)


def top_layers(backbone):
    """The layers of a backbone that are inside of no other layer of it."""
    if isinstance(backbone, keras.Model):
        layers = backbone.layers
    else:
        layers = backbone._flatten_layers(include_self=False, recursive=False)
    # A layer without layers inside is its own only one.
    return layers or [backbone]


def _last(count, backbone):
    layers = top_layers(backbone)
    if count > len(layers):
        raise ValueError(
            f"The schedule asks for {count} layers of the backbone "
            f"{backbone.name!r}, which has {len(layers)}. Give a smaller "
            'count, or "all"; for a backbone inside of another layer, pass '
            f"the inner one. Received: {count}"
        )
    return layers[len(layers) - count :]


def _named(layers, names, backbone):
    known = {layer.name for layer in layers}
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known)
            raise ValueError(
                f"The backbone {backbone.name!r} has no layer of this name; "
                f"names close to it: {close}. Received: {name!r}"
            )
    return [layer for layer in layers if layer.name in set(names)]
