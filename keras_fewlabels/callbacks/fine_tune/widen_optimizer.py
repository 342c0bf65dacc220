import collections
import contextlib
import itertools

import keras

from keras_fewlabels.foundation import (
    forget_optimizer_state,
    inner_optimizer,
    optimized_variables,
    optimizer_state,
)


def widen_optimizer(model, variables):
    """Builds the model's optimizer for more variables than train right now.

    A Keras optimizer updates only the variables it was built for. Built for
    the variables of all stages, one optimizer serves every stage, and a
    checkpoint of one stage can be loaded in another. Variables it was built
    for before stay. Iterations, learning rate and the state of each variable
    carry over.

    Args:
        model: A compiled and built `keras.Model`.
        variables: List of variables of `model`, in any order.

    Raises:
        ValueError: If the optimizer keeps averages of the variables
            (`use_ema=True`) or is a `MultiOptimizer`, or if it has state and
            several variables share a path.
    """
    optimizer = model.optimizer
    inner = inner_optimizer(optimizer)
    _check_optimizer(inner)
    known = optimized_variables(optimizer)
    wanted = {id(variable) for variable in [*known, *variables]}
    # Keras passes the trained part of them to the optimizer in this order.
    variables = [v for v in model.variables if id(v) in wanted]
    if list(map(id, known)) != list(map(id, variables)):
        with _variable_scope(model):
            _build(optimizer, inner, variables)
    if keras.backend.backend() == "jax":
        _accept_parts(inner)


def _check_optimizer(optimizer):
    if hasattr(optimizer, "optimizers"):
        raise ValueError(
            "FineTune works with one optimizer. Give learning rates per stage "
            "by `learning_rates` instead of a `MultiOptimizer`. "
            f"Received: optimizer={optimizer.name!r}"
        )
    if optimizer.use_ema:
        raise ValueError(
            "An optimizer with `use_ema=True` replaces all its variables by "
            "their averages at the end of `fit()`, also those that a stage "
            "froze. Compile with `use_ema=False`. "
            f"Received: optimizer={optimizer.name!r} with use_ema=True"
        )


def _build(optimizer, inner, variables):
    # In place: other callbacks and the user may hold this optimizer, and its
    # config lacks the exceptions of `exclude_from_weight_decay()`.
    parts = [optimizer] if optimizer is inner else [optimizer, inner]
    before = [{} for _ in parts]
    if optimizer.built:
        if int(keras.ops.convert_to_numpy(inner.iterations)) > 0:
            _check_paths(variables)
            before = [_named_state(part, variables) for part in parts]
        for part in parts:
            forget_optimizer_state(part)
    optimizer.build(variables)
    for part, state in zip(parts, before, strict=True):
        after = _named_state(part, variables)
        for key, variable in state.items():
            after[key].assign(variable)


def _named_state(optimizer, variables):
    # The state of a variable is named after the variable. The path of the
    # state depends on where the optimizer was built, so it identifies nothing.
    # Other state may have no name of its own and is numbered.
    prefixes = tuple(f"{_state_prefix(v)}_" for v in variables)
    rest = itertools.count()
    return {
        v.name if v.name.startswith(prefixes) else next(rest): v
        for v in optimizer_state(optimizer)
    }


def _state_prefix(variable):
    return variable.path.replace("/", "_")


def _check_paths(variables):
    counts = collections.Counter(_state_prefix(v) for v in variables)
    shared = [v.path for v in variables if counts[_state_prefix(v)] > 1]
    if shared:
        raise ValueError(
            "The optimizer has state, which FineTune carries over by the "
            "paths of the variables, and several share one. Give their layers "
            "different names, or `compile()` again to start without state. "
            f"Received: shared paths={shared}"
        )


def _accept_parts(optimizer):
    # On JAX, Keras expects values for all variables it was built for.
    def stateless_apply(optimizer_variables, grads, trainable_variables):
        active = [v for v in optimized_variables(optimizer) if v.trainable]
        mapping = [
            *zip(active, trainable_variables, strict=True),
            *zip(optimizer.variables, optimizer_variables, strict=True),
        ]
        with keras.StatelessScope(state_mapping=mapping) as scope:
            optimizer.apply(grads, active)
        return (
            [scope.get_current_value(v) for v in active],
            [scope.get_current_value(v) for v in optimizer.variables],
        )

    optimizer.stateless_apply = stateless_apply


def _variable_scope(model):
    # Outside of it, a strategy would count iterations once per replica.
    if keras.backend.backend() == "tensorflow":
        return model.distribute_strategy.scope()
    return contextlib.nullcontext()
