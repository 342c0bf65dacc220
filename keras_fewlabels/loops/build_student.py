"""New students from whatever a user calls one."""

import inspect

import keras


def builder_of(build_student):
    """What makes the student of each generation.

    Args:
        build_student: Function that returns a new Keras model; if its first
            parameter has no default or is called `generation`, it gets the
            generation. Or a built Keras model, of which each generation is a
            copy.

    Returns:
        Function of the generation, an int from 0, that returns a new model.

    Raises:
        ValueError: If it is neither.
    """
    if isinstance(build_student, keras.Model):
        return lambda generation: _copy_of(build_student)
    if not callable(build_student):
        raise ValueError(
            "`build_student` must be a function that returns a new Keras "
            "model, or a built Keras model. "
            f"Received: {type(build_student).__name__}"
        )
    if _takes_generation(build_student):
        return build_student
    return lambda generation: build_student()


def _takes_generation(function):
    """Whether the first parameter is for the generation."""
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters:
        return False
    first = parameters[0]
    # A width or depth with a default is the caller's own affair.
    return first.name == "generation" or (
        first.default is first.empty
        and first.kind in (first.POSITIONAL_ONLY, first.POSITIONAL_OR_KEYWORD)
    )


def _copy_of(model):
    if not model.built:
        raise ValueError(
            "The student must be built, so that its weights exist. Add a "
            "`keras.Input`, or call `model.build(input_shape)`. "
            f"Received: model={model.name!r}"
        )
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy
