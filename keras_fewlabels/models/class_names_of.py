import json
import pathlib
import zipfile

import keras

from keras_fewlabels.models.named_classes import names_in_config

# Beside the model, in the folder that TensorFlow leaves to users.
SAVED_MODEL_FILE = pathlib.Path("assets.extra", "class_names.json")
# Inside of a LiteRT file, as its metadata has them.
LITERT_FILE = "labels.txt"
ONNX_KEY = "class_names"


def class_names_of(model):
    """The class names inside of a model, or of a file, made by `standalone`.

    A file is only read, not loaded as a model. Who has no `keras_fewlabels`
    reads them in one line:

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
        ValueError: If there are none, or the file is none of these.
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
        path = pathlib.Path(model)
        names = _reader_of(path)(path)
    if names is None:
        raise ValueError(
            "A model has class names inside if `models.standalone` made it. "
            f"Received: model={model!r}"
        )
    return names


def _reader_of(path):
    readers = {".keras": _in_keras, ".onnx": _in_onnx, ".tflite": _in_litert}
    if path.is_dir():
        return _in_saved_model
    if path.suffix not in readers or not path.is_file():
        raise ValueError(
            "`model` must be a `keras.Model`, or the path of a .keras, .onnx "
            "or .tflite file or of the folder of a SavedModel. "
            f"Received: model={str(path)!r}"
        )
    return readers[path.suffix]


def _in_keras(path):
    with zipfile.ZipFile(path) as archive:
        return names_in_config(
            json.loads(archive.read("config.json"))["config"]
        )


def _in_litert(path):
    if not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as archive:
        return archive.read(LITERT_FILE).decode().splitlines()


def _in_saved_model(path):
    file = path / SAVED_MODEL_FILE
    return json.loads(file.read_text()) if file.is_file() else None


def _in_onnx(path):
    try:
        import onnx
    except ImportError as error:
        raise ImportError(
            "ONNX files are read by the package onnx, which is not installed. "
            'Run `pip install "keras-fewlabels[export]"`.'
        ) from error
    model = onnx.load(path, load_external_data=False)
    found = [
        prop.value for prop in model.metadata_props if prop.key == ONNX_KEY
    ]
    return json.loads(found[0]) if found else None
