import math
import numbers

import keras

Schedule = keras.optimizers.schedules.LearningRateSchedule


def check_schedule(schedule):
    """Raises a `ValueError` unless all epochs and choices can be meant."""
    if not isinstance(schedule, dict) or not schedule:
        raise ValueError(
            "`schedule` says from which epoch on what trains, for example "
            '{0: 0, 5: 20, 10: "all"}. '
            f"Received: schedule={schedule!r}"
        )
    _check_epochs("schedule", schedule)
    for epoch, choice in schedule.items():
        if not _is_choice(choice):
            raise ValueError(
                "A stage of `schedule` is a count of layers of at least 0, "
                '"all", a list of layer names, or a function that takes a '
                "layer and returns whether it trains. Received: schedule="
                f"{{{epoch!r}: {choice!r}}}"
            )


def check_learning_rates(learning_rates):
    """Raises a `ValueError` unless all epochs and rates can be meant."""
    if not isinstance(learning_rates, dict):
        raise ValueError(
            "`learning_rates` maps an epoch to a learning rate from there on, "
            "for example {0: 1e-3, 10: 1e-5}. "
            f"Received: learning_rates={learning_rates!r}"
        )
    _check_epochs("learning_rates", learning_rates)
    for epoch, rate in learning_rates.items():
        number = isinstance(rate, numbers.Real) and not isinstance(rate, bool)
        if not isinstance(rate, Schedule) and not (
            number and 0 < rate < math.inf
        ):
            raise ValueError(
                "`learning_rates` maps an epoch to a float above 0 or a keras "
                "LearningRateSchedule. Received: learning_rates="
                f"{{{epoch!r}: {rate!r}}}"
            )


def check_layer_decay(layer_decay):
    """Raises a `ValueError` unless it is `None` or a fraction."""
    if layer_decay is None:
        return
    if not isinstance(layer_decay, numbers.Real) or not 0 < layer_decay <= 1:
        raise ValueError(
            "`layer_decay` is the learning rate of a block as a fraction of "
            "that of the block above, above 0 and at most 1. "
            f"Received: layer_decay={layer_decay!r}"
        )


def check_model(model):
    """Raises a `ValueError` unless the model is compiled and built."""
    if getattr(model, "optimizer", None) is None:
        raise ValueError(
            "FineTune prepares the optimizer before training starts. Call "
            "`compile()` before `fit()`. "
            f"Received: model={model.name!r}, which is not compiled"
        )
    if not getattr(model, "student", model).built:
        raise ValueError(
            "FineTune must know every variable before training starts, but "
            "the model is not built. Add a `keras.Input`, or call "
            "`model.build(input_shape)`, before `fit()`. "
            f"Received: model={model.name!r}"
        )


def _check_epochs(name, stages):
    for epoch in stages:
        if not _is_count(epoch):
            raise ValueError(
                f"The keys of `{name}` are epochs, integers counted from 0. "
                f"Received: {name}={stages!r} with the key {epoch!r}"
            )


def _is_choice(choice):
    if isinstance(choice, str):
        return choice == "all"
    if isinstance(choice, (list, tuple)):
        return all(isinstance(name, str) for name in choice)
    return _is_count(choice) or callable(choice)


def _is_count(value):
    # `True` is an int in Python, and would silently mean 1.
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole and value >= 0
