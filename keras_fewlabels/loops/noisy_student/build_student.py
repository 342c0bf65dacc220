"""New students from a function, model or backbone of the user."""

import inspect
import weakref

import keras

from keras_fewlabels.foundation import (
    check_built,
    graph_of,
    inner_optimizer,
    last_dense,
    resolve_value_range,
)
from keras_fewlabels.models.classifier import classifier
from keras_fewlabels.models.copy_model import copy_model

# In names of optimizers, which a saved model keeps: of a model that the loop
# has compiled, and of one whose layers it has trained.
_COMPILED = "fit_noisy_student"
_LAYERS_TRAINED = "fit_noisy_student_layers"


def builder_of(build_student):
    """Returns the function that builds the student of each generation.

    Args:
        build_student: Function that returns a new Keras model; if it has a
            parameter without a default, or one that is called `generation`,
            it gets the generation. Or a built Keras model, of which each
            generation is a copy.

    Returns:
        Function of the generation, an int from 0, that returns a new model.
        It raises a `ValueError` if the model shares weights with one before.

    Raises:
        ValueError: If `build_student` is neither, or has parameters that
            nothing is known of.
    """
    if isinstance(build_student, keras.Model):
        return lambda generation: _copy_of(build_student)
    if not callable(build_student):
        raise ValueError(
            "`build_student` must be a function that returns a new Keras "
            "model, or a built Keras model. "
            f"Received: {type(build_student).__name__}"
        )
    arguments = _arguments_of(build_student)
    variables = {}

    def build(generation):
        args, kwargs = arguments(generation)
        model = build_student(*args, **kwargs)
        if isinstance(model, keras.Model):
            _check_new(model, variables)
            _forget_compilation(model)
        return model

    return build


def classifier_of(build_student, labeled, class_names, value_range):
    """Returns a classifier in place of a backbone, and anything else as it is.

    Args:
        build_student: As for `fit_noisy_student`. The name of a network of
            `keras.applications`, and a functional model without any `Dense`
            layer or one whose outputs are no rows, are backbones.
        labeled: Pair of arrays, images and labels.
        class_names: Optional sequence of strings.
        value_range: Optional pair of floats, the values of black and white.
    """
    if not isinstance(build_student, str) and not _is_backbone(build_student):
        return build_student
    images, labels = labeled
    if class_names is not None:
        num_classes = len(class_names)
    elif labels.ndim == 2:
        num_classes = labels.shape[1]
    else:
        num_classes = int(labels.max()) + 1
    return classifier(
        build_student,
        num_classes,
        images.shape[1:3],
        value_range=resolve_value_range(value_range, images, "labeled"),
        color_mode="grayscale" if images.shape[-1] == 1 else "rgb",
    )


def _is_backbone(model):
    if not isinstance(model, keras.Model) or graph_of(model) is None:
        return False
    shape = model.output_shape
    is_map = isinstance(shape, tuple) and len(shape) > 2
    return is_map or last_dense(model) is None


def _arguments_of(function):
    """Returns a function of a generation: arguments that `function` takes."""
    try:
        # As they are written, and as the call must be: a decorator may hide
        # the former.
        written = inspect.signature(function)
        taken = inspect.signature(function, follow_wrapped=False)
    except (TypeError, ValueError):
        # Functions that are not written in Python may have no signature.
        return lambda generation: ((), {})
    ways = [lambda generation: ((), {})]
    if _wants_generation(function, written.parameters):
        ways = [
            lambda generation: ((), {"generation": generation}),
            lambda generation: ((generation,), {}),
        ]
    for way in ways:
        args, kwargs = way(0)
        try:
            written.bind(*args, **kwargs)
            taken.bind(*args, **kwargs)
        except TypeError:
            continue
        return way
    raise ValueError(
        "`build_student` is called without arguments, or with the generation "
        "if it has one parameter without a default. Give the others a "
        "default, or fix them with `functools.partial`. "
        f"Received: build_student{written}"
    )


def _wants_generation(function, parameters):
    # A parameter with a default, such as a width, is the user's own. So is a
    # generation that was fixed.
    fixed = getattr(function, "keywords", {})
    return ("generation" in parameters and "generation" not in fixed) or any(
        parameter.default is parameter.empty
        and parameter.kind
        not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        for parameter in parameters.values()
    )


def _check_new(model, variables):
    """Checks that a model has weights of its own.

    Args:
        model: Keras model.
        variables: Dict of the `id` of a variable to a reference to it, those
            of all models before. Those of the model are added.
    """
    for variable in model.weights:
        before = variables.get(id(variable), lambda: None)
        if before() is variable:
            raise ValueError(
                "`build_student` must return a new model each time. Build all "
                "layers, also a backbone, inside of the function, or pass the "
                "model itself, which is copied. Received: model="
                f"{model.name!r}, which shares {variable.path!r} with a model "
                "that was returned before"
            )
    variables.update((id(v), weakref.ref(v)) for v in model.weights)


def comes_from_loop(model):
    """Returns whether the loop has compiled a model, and not its user.

    That is known as long as the model is compiled, also after it was saved.
    """
    return bool(getattr(model, "compiled", False)) and (
        _name_of_optimizer(model).startswith(_COMPILED)
    )


def layers_know_labels(model):
    """Returns whether the loop has trained the layers below a model's head.

    That is known as long as the model has the optimizer that it came with.
    """
    return _name_of_optimizer(model).endswith(_LAYERS_TRAINED)


def optimizer_of_loop():
    """Returns the optimizer that marks a model that the loop has compiled.

    It has no slots, which would be saved with the model.
    """
    return keras.optimizers.SGD(name=_COMPILED)


def mark_layers_trained(model):
    """Marks a compiled model whose layers below the head have learned labels.

    The optimizer may be the user's.
    """
    if layers_know_labels(model):
        return
    optimizer = inner_optimizer(model.optimizer)
    if comes_from_loop(model):
        optimizer.name = _LAYERS_TRAINED
    else:
        optimizer.name = f"{optimizer.name}_{_LAYERS_TRAINED}"


def _name_of_optimizer(model):
    optimizer = inner_optimizer(getattr(model, "optimizer", None))
    return getattr(optimizer, "name", "")


def _copy_of(model):
    check_built(model, "student")
    copy = copy_model(model)
    _forget_compilation(copy)
    return copy


def _forget_compilation(model):
    """Takes a model that the loop has compiled for one that nobody has.

    It was compiled to be evaluated, not to be trained like that.
    """
    if comes_from_loop(model):
        model.compiled, model.loss = False, None
