"""The formats of a standalone model: how each is written and loaded."""

import importlib.util
import json
import zipfile

import keras

from keras_fewlabels.models.standalone.class_names_of import (
    LITERT_FILE,
    ONNX_KEY,
    SAVED_MODEL_FILE,
)

# Packages that convert to ONNX, by the backend of Keras.
_ONNX_CONVERTERS = {
    "tensorflow": "tf2onnx",
    "jax": "jax2onnx",
    "torch": "onnxscript",
}


def write_format(name, model, path, names, sample):
    """Writes a model in one format.

    Args:
        name: `"keras"`, `"saved_model"`, `"onnx"` or `"litert"`.
        model: What `standalone` returned.
        path: Path of the file or folder, where there is none yet.
        names: List of strings, the names of the classes.
        sample: Float32 array of images, whose shape a format may keep.

    Raises:
        Exception: Anything that the converter raises.
    """
    write, _ = _FORMATS[name]
    write(model, path, names, sample)


def exported_predictions(name, path, images):
    """Loads a file and predicts images with it.

    Args:
        name: `"keras"`, `"saved_model"`, `"onnx"` or `"litert"`.
        path: Path of the file or folder.
        images: Float32 array of shape `(num_images, height, width, channels)`.

    Returns:
        Float array of shape `(num_images, num_classes)`.

    Raises:
        ImportError: If the runtime is not installed.
    """
    _, predict = _FORMATS[name]
    return predict(str(path), images)


def _write_keras(model, path, names, sample):
    model.save(path)


def _write_saved_model(model, path, names, sample):
    if keras.backend.backend() == "torch":
        raise RuntimeError("needs Keras on the TensorFlow or JAX backend")
    model.export(path, format="tf_saved_model", verbose=False)
    file = path / SAVED_MODEL_FILE
    file.parent.mkdir()
    file.write_text(json.dumps(names))


def _write_onnx(model, path, names, sample):
    needed = ["onnx", _ONNX_CONVERTERS[keras.backend.backend()]]
    missing = [name for name in needed if not importlib.util.find_spec(name)]
    if missing:
        raise ImportError(f"needs the packages {', '.join(missing)}")
    import onnx

    # JAX traces with known sizes only.
    is_jax = keras.backend.backend() == "jax"
    signature = _signature(sample.shape) if is_jax else None
    model.export(path, format="onnx", verbose=False, input_signature=signature)
    proto = onnx.load(path)
    onnx.helper.set_model_props(proto, {ONNX_KEY: json.dumps(names)})
    onnx.save(proto, path)


def _write_litert(model, path, names, sample):
    if keras.backend.backend() == "jax":
        raise RuntimeError("needs Keras on the TensorFlow backend")
    signature = _signature((None, *sample.shape[1:]))
    model.export(
        path, format="litert", verbose=False, input_signature=signature
    )
    # LiteRT has its metadata in a zip archive behind the model.
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(LITERT_FILE, "\n".join(names))


def _signature(shape):
    return [keras.InputSpec(shape=shape, dtype="float32", name="image")]


def _predict_keras(path, images):
    return keras.saving.load_model(path).predict(images, verbose=0)


def _predict_saved_model(path, images):
    import tensorflow as tf

    # `serve` alone does not keep the variables alive.
    loaded = tf.saved_model.load(path)
    return loaded.serve(images).numpy()


def _predict_onnx(path, images):
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    (outputs,) = session.run(None, {session.get_inputs()[0].name: images})
    return outputs


def _predict_litert(path, images):
    interpreter = _interpreter_class()(path)
    (inputs,) = interpreter.get_input_details()
    interpreter.resize_tensor_input(inputs["index"], images.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(inputs["index"], images)
    interpreter.invoke()
    (outputs,) = interpreter.get_output_details()
    return interpreter.get_tensor(outputs["index"])


def _interpreter_class():
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        # The same runtime, inside of TensorFlow.
        import tensorflow as tf

        Interpreter = tf.lite.Interpreter
    return Interpreter


# By name: how a file is written, and how its runtime predicts with it.
_FORMATS = {
    "keras": (_write_keras, _predict_keras),
    "saved_model": (_write_saved_model, _predict_saved_model),
    "onnx": (_write_onnx, _predict_onnx),
    "litert": (_write_litert, _predict_litert),
}
