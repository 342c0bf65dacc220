import keras


def after_train_step(model, result, update):
    """Updates variables after a train step, on every backend.

    Keras's `train_step` returns `logs`. On JAX it returns `(logs, state)`,
    because variables have values only inside of a scope there.

    Args:
        model: The Keras model that was trained.
        result: What `super().train_step()` returned.
        update: Function without arguments that assigns to non-trainable
            variables of the model. It sees all variables as they are after
            the step.

    Returns:
        The value that `train_step` must return.
    """
    if keras.backend.backend() != "jax":
        update()
        return result
    logs, (trainable, non_trainable, *rest) = result
    mapping = [
        *zip(model.trainable_variables, trainable, strict=True),
        *zip(model.non_trainable_variables, non_trainable, strict=True),
        *zip(model.optimizer.variables, rest[0], strict=True),
    ]
    with keras.StatelessScope(state_mapping=mapping) as scope:
        update()
    non_trainable = [
        scope.get_current_value(variable)
        for variable in model.non_trainable_variables
    ]
    return logs, (trainable, non_trainable, *rest)
