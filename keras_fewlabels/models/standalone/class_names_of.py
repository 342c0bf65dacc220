import json
import os
import pathlib
import zipfile

import keras

from keras_fewlabels.foundation import (
    check_names,
    open_file,
    optional_import,
    read_text,
)

# Name of the nested model that has the class names.
LAYER = "class_names"
# Beside the model, in the folder that TensorFlow leaves to users.
SAVED_MODEL_FILE = pathlib.Path("assets.extra", "class_names.json")
# Inside of a LiteRT file, as its metadata has them.
LITERT_FILE = "labels.txt"
ONNX_KEY = "class_names"
# Of a config or a list of names when it is unpacked.
_MOST_BYTES = 2**26
_MOST_ARCHIVE_BYTES = 2**40
# More than the largest message of protobuf.
_MOST_ONNX_BYTES = 2**31


def class_names_of(model):
    """Reads the class names in a model, or in a file, made by `standalone`.

    A file is only read, not loaded as a model. Programs without
    `keras_fewlabels` read the names in one line:

    ```python
    # Keras
    json.loads(model.get_layer("class_names").layers[0].name)
    # LiteRT
    zipfile.ZipFile("model.tflite").read("labels.txt").decode().splitlines()
    # ONNX, with onnxruntime
    json.loads(session.get_modelmeta().custom_metadata_map["class_names"])
    # SavedModel
    json.load(open("saved_model/assets.extra/class_names.json"))
    ```

    Args:
        model: A `keras.Model`; or the path of a `.keras`, `.onnx` or
            `.tflite` file, or of the folder of a SavedModel.

    Returns:
        List of strings, in the order of the model's outputs.

    Raises:
        ValueError: If the model has no class names, or the path is not of
            such a file.
        FileNotFoundError: If there is no file at the path.
        ImportError: If an `.onnx` file is given and `onnx` is not installed.

    Example:

    >>> classifier = keras.Sequential(
    ...     [
    ...         keras.Input((8, 8, 1)),
    ...         keras.layers.Flatten(),
    ...         keras.layers.Dense(2, activation="softmax"),
    ...     ]
    ... )
    >>> model = keras_fewlabels.models.standalone(
    ...     classifier, ["cat", "dog"], image_size=(8, 8), value_range=(0, 1)
    ... )
    >>> keras_fewlabels.models.class_names_of(model)
    ['cat', 'dog']
    """
    if isinstance(model, keras.Model):
        names = names_in_config(model.get_config())
    else:
        names = _names_in_file(model)
    if names is None:
        raise ValueError(
            "A model has class names inside if `models.standalone` made it. "
            f"Received: model={model!r}"
        )
    return names


def name_classes(probabilities, class_names):
    """Puts class names into the graph of a model.

    Keras has no layer for text that runs on every backend. But it keeps
    names as they are, on every backend and in every copy. So the class names
    are, as JSON, the name of the input of a small nested model.

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
        config: Dict, as `get_config()` returns it or a `.keras` file holds
            it.

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


def _names_in_file(path):
    try:
        path = pathlib.Path(os.path.expanduser(os.fsdecode(path)))
    except TypeError:
        read = None
    else:
        readers = {".keras": _in_keras, ".onnx": _in_onnx}
        readers[".tflite"] = _in_litert
        read = _in_saved_model if path.is_dir() else readers.get(path.suffix)
    if read is None:
        raise ValueError(
            "`model` must be a `keras.Model`, or the path of a .keras, .onnx "
            "or .tflite file or of the folder of a SavedModel. "
            f"Received: model={path!r}"
        )
    if not path.exists():
        raise FileNotFoundError(
            "`model` must be the path of a file that exists. "
            f"Received: model={str(path)!r}"
        )
    try:
        names = read(path)
        return None if names is None else check_names(names, "class_names")
    except ImportError:
        raise
    except Exception as error:  # Damaged files make readers raise anything.
        raise ValueError(
            "`model` must be the path of a file that is complete. Write it "
            f"again. Received: model={str(path)!r} "
            f"({type(error).__name__}: {error})"
        ) from error


def _in_keras(path):
    config = json.loads(_member(path, "config.json"))
    return names_in_config(config["config"])


def _in_litert(path):
    with open_file(path, _MOST_ARCHIVE_BYTES) as file:
        if not zipfile.is_zipfile(file):
            return None
    return _member(path, LITERT_FILE).decode().splitlines()


def _in_saved_model(path):
    file = path / SAVED_MODEL_FILE
    if not file.is_file():
        return None
    return json.loads(read_text(file, "model", "a whole SavedModel"))


def _in_onnx(path):
    onnx = optional_import("onnx", "export")
    with open_file(path, _MOST_ONNX_BYTES) as file:
        model = onnx.load_model_from_string(file.read())
    found = [
        prop.value for prop in model.metadata_props if prop.key == ONNX_KEY
    ]
    return json.loads(found[0]) if found else None


def _member(path, name):
    """Reads a file in an archive that may say anything of its size."""
    with (
        open_file(path, _MOST_ARCHIVE_BYTES) as file,
        zipfile.ZipFile(file) as archive,
        archive.open(name) as member,
    ):
        content = member.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise ValueError(f"{name} is larger than {_MOST_BYTES:,} bytes")
    return content
