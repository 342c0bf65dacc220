"""New students from a function or model of the user."""

import inspect

import keras

from keras_fewlabels.models.copy_model import copy_model


def builder_of(build_student):
    """Returns the function that builds the student of each generation.

    Args:
        build_student: Function that returns a new Keras model; if it has a
            parameter without a default, or one that is called `generation`,
            it gets the generation. Or a built Keras model, of which each
            generation is a copy.

    Returns:
        Function of the generation, an int from 0, that returns a new model.

    Raises:
        ValueError: If `build_student` is neither.
    """
    if isinstance(build_student, keras.Model):
        return lambda generation: _copy_of(build_student)
    if not callable(build_student):
        raise ValueError(
            "`build_student` must be a function that returns a new Keras "
            "model, or a built Keras model. "
            f"Received: {type(build_student).__name__}"
        )
    parameters = inspect.signature(build_student).parameters
    if "generation" in parameters:
        return lambda generation: build_student(generation=generation)
    if any(map(_must_be_given, parameters.values())):
        return build_student
    return lambda generation: build_student()


def _must_be_given(parameter):
    # A parameter with a default, such as a width, is the user's own.
    return parameter.default is parameter.empty and parameter.kind in (
        parameter.POSITIONAL_ONLY,
        parameter.POSITIONAL_OR_KEYWORD,
    )


def _copy_of(model):
    if not model.built:
        raise ValueError(
            "The student must be built, so that its weights exist. Add a "
            "`keras.Input`, or call `model.build(input_shape)`. "
            f"Received: model={model.name!r}"
        )
    return copy_model(model)
