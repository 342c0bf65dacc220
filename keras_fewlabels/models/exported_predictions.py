"""What exported files predict, each in the runtime it is made for."""

import keras


def exported_predictions(name, path, images):
    """Loads a file anew and predicts images with it.

    Args:
        name: `"keras"`, `"saved_model"`, `"onnx"` or `"litert"`.
        path: Path of the file or folder.
        images: Float32 array of shape `(num_images, height, width, channels)`.

    Returns:
        Float array of shape `(num_images, num_classes)`.

    Raises:
        ImportError: If the runtime is not installed.
    """
    return _RUNTIMES[name](str(path), images)


def _keras(path, images):
    return keras.saving.load_model(path).predict(images, verbose=0)


def _saved_model(path, images):
    import tensorflow as tf

    # The function alone does not keep the variables.
    loaded = tf.saved_model.load(path)
    return loaded.serve(images).numpy()


def _onnx(path, images):
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    (outputs,) = session.run(None, {session.get_inputs()[0].name: images})
    return outputs


def _litert(path, images):
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


_RUNTIMES = {
    "keras": _keras,
    "saved_model": _saved_model,
    "onnx": _onnx,
    "litert": _litert,
}
