import collections
import contextlib
import itertools

import keras


def widen_optimizer(model, variables):
    """Builds the model's optimizer for more variables than train right now.

    A Keras optimizer updates only what it was built for. Built for all that
    will ever train, it serves every stage, and a checkpoint taken in one stage
    can be loaded in another. What it was built for before stays; iterations,
    learning rate and the state of each variable carry over.

    Args:
        model: A compiled and built `keras.Model`.
        variables: List of variables of `model`, in any order.

    Raises:
        ValueError: If the optimizer keeps averages of the variables, or state
            has to carry over between variables of equal paths.
    """
    optimizer = model.optimizer
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    _check_optimizer(inner)
    known = list(optimizer._trainable_variables)
    wanted = {id(variable) for variable in [*known, *variables]}
    # The order in which Keras hands over whatever part of them trains.
    variables = [v for v in model.variables if id(v) in wanted]
    if list(map(id, known)) != list(map(id, variables)):
        with _variable_scope(model):
            _build(optimizer, inner, variables)
    if keras.backend.backend() == "jax":
        _accept_parts(inner)


def _check_optimizer(optimizer):
    if hasattr(optimizer, "optimizers"):
        raise ValueError(
            "FineTune works with one optimizer; give learning rates per stage "
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
    # In place: other callbacks and the user may hold this optimizer, and what
    # `exclude_from_weight_decay()` set is not in its config.
    parts = [optimizer] if optimizer is inner else [optimizer, inner]
    before = [{} for _ in parts]
    if optimizer.built:
        if int(keras.ops.convert_to_numpy(inner._iterations)) > 0:
            _check_paths(variables)
            before = [_state_of(part, variables) for part in parts]
        for part in parts:
            _forget_state(part)
    optimizer.build(variables)
    for part, state in zip(parts, before, strict=True):
        after = _state_of(part, variables)
        for key, variable in state.items():
            after[key].assign(variable)


def _state_of(optimizer, variables):
    # What belongs to a variable is named after it; its path would not do, for
    # it depends on where the optimizer was built. The rest may have no name.
    prefixes = tuple(f"{_name_of_state(v)}_" for v in variables)
    rest = itertools.count()
    return {
        v.name if v.name.startswith(prefixes) else next(rest): v
        for v in optimizer._variables
    }


def _name_of_state(variable):
    return variable.path.replace("/", "_")


def _forget_state(optimizer):
    kept = {id(optimizer._iterations), id(optimizer._learning_rate)}
    for variable in list(optimizer._variables):
        if id(variable) not in kept:
            optimizer._untrack_variable(variable)
    optimizer._trainable_variables_indices.clear()
    optimizer.built = False


def _check_paths(variables):
    counts = collections.Counter(_name_of_state(v) for v in variables)
    shared = [v.path for v in variables if counts[_name_of_state(v)] > 1]
    if shared:
        raise ValueError(
            "The optimizer has state, which FineTune carries over by the "
            "paths of the variables, and several share one. Give their layers "
            "different names, or `compile()` again to start without state. "
            f"Received: shared paths={shared}"
        )


def _accept_parts(optimizer):
    # On JAX, Keras wants values for exactly the variables it was built for.
    def stateless_apply(optimizer_variables, grads, trainable_variables):
        active = [v for v in optimizer._trainable_variables if v.trainable]
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
