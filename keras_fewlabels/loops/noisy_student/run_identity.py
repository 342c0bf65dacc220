import keras

# What a layer knows of the images it has seen; and seeds, which some layers of
# Keras make up, and each epoch of a phase sets anew.
_NOT_ESSENTIAL = ("build_config", "build_input_shape", "seed")


def run_identity(model, task, data, settings, layers):
    """What makes a run this one and no other.

    Args:
        model: Keras model, as the first phase gets it.
        task: `Task`.
        data: `PhaseData`.
        settings: Dict of all settings.
        layers: Dict of layers, or `None`, that take the place of settings.

    Returns:
        A tuple, equal for runs that may go on from each other's backup.
    """
    shapes = [tuple(weight.shape) for weight in model.weights]
    configs = [essential_config(layer) for layer in layers.values()]
    settings = sorted(
        (name, value) for name, value in settings.items() if name != "why"
    )
    arrays = *data.labeled, *(data.validation or ()), task.sample
    return shapes, configs, settings, arrays, task.num_unlabeled, data.seed


def essential_config(layer):
    """How a layer is configured, whatever it is called or has seen.

    Keras numbers the layers of a process, so the next one may call the same
    layer by another name.

    Args:
        layer: Keras layer or model, or `None`.

    Returns:
        A dict, or `None`.
    """
    names = set()

    def essence(value):
        if isinstance(value, dict):
            # All but types of numbers, which have nothing but a name.
            if isinstance(value.get("name"), str) and len(value) > 1:
                names.add(value["name"])
            return {
                key: essence(entry)
                for key, entry in value.items()
                if key not in _NOT_ESSENTIAL
            }
        if isinstance(value, (list, tuple)):
            entries = map(essence, value)
            return [entry for entry in entries if not _is_input(entry)]
        # A functional model also has the names of what it connects.
        return "a name" if isinstance(value, str) and value in names else value

    return essence(keras.saving.serialize_keras_object(layer))


def _is_input(entry):
    """Whether it is the layer that a `Sequential` gets when it is built."""
    return isinstance(entry, dict) and entry.get("class_name") == "InputLayer"
