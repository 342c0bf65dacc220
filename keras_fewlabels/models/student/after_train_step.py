"""Changing variables after a train step, on every backend."""

import keras


def after_train_step(model, result, update):
    """Calls `update` on the state that a train step has left behind.

    Keras's `train_step` gives `logs`, except on JAX, where variables have
    values only inside a scope and it gives `(logs, state)`.

    Args:
        model: The Keras model that made the step.
        result: What `super().train_step()` returned.
        update: Function without arguments that assigns to non-trainable
            variables of the model.

    Returns:
        What `train_step` should return.
    """
    if keras.backend.backend() != "jax":
        update()
        return result
    logs, (trainable, non_trainable, *rest) = result
    mapping = [
        *zip(model.trainable_variables, trainable, strict=True),
        *zip(model.non_trainable_variables, non_trainable, strict=True),
    ]
    with keras.StatelessScope(state_mapping=mapping) as scope:
        update()
    non_trainable = [
        scope.get_current_value(variable)
        for variable in model.non_trainable_variables
    ]
    return logs, (trainable, non_trainable, *rest)
