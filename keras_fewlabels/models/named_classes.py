"""Class names that travel inside a model of Keras alone."""

import json

import keras

# The nested model that has them.
LAYER = "class_names"


def name_classes(probabilities, class_names):
    """Puts class names into the graph of a model.

    No layer of Keras is made for text that runs on every backend. What Keras
    keeps as it is, on every backend and in every copy, are names; so the
    names are, as JSON, the name of the input of a small nested model.

    Args:
        probabilities: `KerasTensor` of shape `(batch, num_classes)`.
        class_names: List of strings.

    Returns:
        `KerasTensor` of the same values, as float32.
    """
    # The one character that Keras allows in no name. JSON may escape it.
    text = json.dumps(list(class_names)).replace("/", "\\u002f")
    inputs = keras.Input(probabilities.shape[1:], name=text)
    same = keras.layers.Activation("linear", dtype="float32")
    return keras.Model(inputs, same(inputs), name=LAYER)(probabilities)


def names_in_config(config):
    """Reads class names out of the config of a model.

    Args:
        config: Dict, as `get_config()` gives it or a `.keras` file holds it.

    Returns:
        List of strings, or `None` if the model has no class names.
    """
    for layer in config.get("layers", ()):
        if layer["config"].get("name") == LAYER:
            (names, *_) = layer["config"]["input_layers"]
            while isinstance(names, list):
                names = names[0]
            return json.loads(names)
    return None
