"""Checks that a model can be called with images.

Many functions call a model, or copy it, where Keras would call `predict()` or
`fit()`. The checks here hold for all of them.
"""

import contextlib
import inspect
import warnings

import keras
import numpy as np

from keras_fewlabels.foundation.keras_internals import (
    graph_of,
    trace_predict,
)

_PREDICTION = (
    "predict",
    "predict_on_batch",
    "predict_step",
    "make_predict_function",
)
# The side of the images of a trial if the model takes any size.
_ANY_SIZE = 64
# How much a compiled prediction may differ, as a share of the largest score.
_TOLERANCE = {"float32": 1e-3, "float64": 1e-3}


def input_shape_of(model):
    """Returns the shape of the images that a model takes.

    Args:
        model: Built Keras model with one input, also a subclassed one.

    Returns:
        Tuple with the batch in front and `None` for sizes that are open, or
        `None` if the model does not tell.
    """
    shapes = _input_shapes(model)
    return shapes[0] if shapes else None


def check_built(model, role):
    """Checks that the weights of a model exist.

    Args:
        model: Keras model.
        role: String, the name of the model in the error.

    Raises:
        ValueError: If they do not. A subclassed model without a `build()` of
            its own says that it is built before it has any.
    """
    has_weights = graph_of(model) is not None or model.weights
    if not model.built or not has_weights:
        raise ValueError(
            f"The {role} must be built, so that its weights exist. Add a "
            "`keras.Input`, or call a subclassed model once, "
            "`model(images[:1])`. "
            f"Received: {role}={model.name!r}"
        )


def check_one_input(model, role):
    """Checks that a model takes images and nothing else.

    Args:
        model: Keras model. A model that does not know its inputs passes.
        role: String, the name of the model in the error.

    Raises:
        ValueError: If it has several inputs.
    """
    shapes = _input_shapes(model)
    if len(shapes) > 1:
        received = f"inputs of shapes {shapes}"
    elif len(_needed_by_call(model)) > 1:
        received = f"inputs {', '.join(_needed_by_call(model))}"
    else:
        return
    raise ValueError(
        f"The {role} must take images and nothing else. Build it with one "
        "`keras.Input`, or give the other inputs a constant value in a model "
        f"around it. Received: model={model.name!r} with {received}"
    )


def check_called(model, role, images=None):
    """Checks that a model, when called, does all that its `predict()` does.

    A task of keras-hub, for example, preprocesses images in `predict()` and
    `fit()`, but not when it is called or copied. Training would then see other
    images than an evaluation.

    Args:
        model: Built Keras model with one input.
        role: String, the name of the model in the error.
        images: Optional array of a few images. By default images of noise.

    Raises:
        ValueError: If a call gives other scores than `predict()`.
    """
    methods = overridden(model, _PREDICTION)
    if not methods:
        return
    if images is None:
        shape = input_shape_of(model)
        if shape is None:
            return
        sizes = [size or _ANY_SIZE for size in shape[1:]]
        images = np.random.default_rng(0).uniform(0, 255, (2, *sizes))
    # Dark ones as well, for bright ones may make a softmax sure of one class.
    images = np.asarray(images, "float32")
    images = np.concatenate([images, images / 255])
    with warnings.catch_warnings():
        # keras-hub warns of what is found out here.
        warnings.simplefilter("ignore")
        called, predicted = _called_and_predicted(model, images)
        if _is_constant(called):
            # A new head of zeros would hide what is in front of it.
            with _without_zeros(model):
                called, predicted = _called_and_predicted(model, images)
    if not _are_close(called, predicted, model.compute_dtype):
        raise ValueError(
            f"The {role} is called, so all that it does with images must be "
            f"in its layers. Its {', '.join(methods)} gives other scores than "
            "a call: look for preprocessing there. Of a task of keras-hub take "
            "`keras_fewlabels.models.classifier(model)`, whose layers do all "
            "of it. Or put layers that do the same in front of the model, "
            "`keras.Model(images, model(preprocess(images)))`. "
            "Or preprocess all images beforehand, and switch it off in the "
            "model (in keras-hub with `model.preprocessor = None`). "
            f"Received: model={model.name!r} of class {type(model).__name__}"
        )


def check_strategy(model, role):
    """Checks that a model was built in the current `tf.distribute` scope.

    Args:
        model: Built Keras model.
        role: String, the name of the model in the error.

    Raises:
        ValueError: If it was built in another scope, or in none.
    """
    if keras.backend.backend() != "tensorflow":
        return
    import tensorflow as tf

    strategy = tf.distribute.get_strategy()
    if not all(
        strategy.extended.variable_created_in_scope(weight.value)
        for weight in model.weights
    ):
        raise ValueError(
            f"The {role} must be built in the scope of the distribution "
            "strategy that trains it. Build it, and call this, in "
            "`with strategy.scope():`. Received: "
            f"{role}={model.name!r}, built in another scope than that of "
            f"{type(strategy).__name__.lstrip('_')}"
        )


def has_own_predict(model):
    """Returns whether `predict()` of a model is not that of Keras.

    It may take arrays only, as that of keras-hub's tasks does.
    """
    return bool(overridden(model, ("predict", "make_predict_function")))


def _input_shapes(model):
    if not isinstance(model, keras.Model):
        return []
    graph = graph_of(model)
    if graph is not None:
        return [tuple(tensor.shape) for tensor in graph.inputs]
    config = model.get_build_config() or {}
    shapes = config.get("input_shape", config.get("shapes_dict"))
    return _leaves(shapes)


def _needed_by_call(model):
    """Returns the names of the arguments that a subclassed model needs."""
    if not isinstance(model, keras.Model) or graph_of(model) is not None:
        return []
    return [
        name
        for name, parameter in inspect.signature(model.call).parameters.items()
        if parameter.default is parameter.empty
        and parameter.kind
        not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        and name not in ("training", "mask")
    ]


def _leaves(shapes):
    """Returns the shapes in a nested structure of them."""
    if shapes is None or is_shape(shapes):
        return [] if shapes is None else [tuple(shapes)]
    parts = shapes.values() if isinstance(shapes, dict) else shapes
    return [leaf for part in parts for leaf in _leaves(part)]


def is_shape(shape):
    """Returns whether an object is the shape of one tensor."""
    return isinstance(shape, (tuple, list)) and all(
        size is None or isinstance(size, int) for size in shape
    )


def overridden(model, names):
    """Returns those methods that are neither Keras's nor of this package."""
    found = []
    for name in names:
        method = vars(model).get(name, getattr(type(model), name))
        package = str(getattr(method, "__module__", "")).partition(".")[0]
        if package not in ("keras", "keras_fewlabels"):
            found.append(name)
    return found


def _called_and_predicted(model, images):
    trace_predict(model, images)
    called = model(keras.ops.convert_to_tensor(images), training=False)
    return called, model.predict(images, verbose=0)


def _is_constant(outputs):
    """Returns whether all images of a batch have the same scores."""
    parts = map(keras.ops.convert_to_numpy, keras.tree.flatten(outputs))
    return all((part == part[:1]).all() for part in parts)


@contextlib.contextmanager
def _without_zeros(model):
    """Replaces weights that are all zero by small numbers for a while."""
    replaced = []
    try:
        for weight in model.weights:
            value = np.array(keras.ops.convert_to_numpy(weight))
            is_float = keras.backend.is_float_dtype(weight.dtype)
            if is_float and not value.any():
                replaced.append((weight, value))
                random = np.random.default_rng(len(replaced))
                weight.assign(random.normal(0, 0.05, value.shape))
        yield
    finally:
        for weight, value in replaced:
            weight.assign(value)


def _are_close(called, predicted, dtype):
    called, predicted = (
        [
            keras.ops.convert_to_numpy(part).astype("float64")
            for part in keras.tree.flatten(outputs)
        ]
        for outputs in (called, predicted)
    )
    tolerance = _TOLERANCE.get(dtype, 2e-2)
    return len(called) == len(predicted) and all(
        ours.shape == theirs.shape
        and np.allclose(
            ours,
            theirs,
            rtol=0,
            atol=tolerance * np.abs(ours).max(initial=1e-9),
            equal_nan=True,
        )
        for ours, theirs in zip(called, predicted, strict=True)
    )
