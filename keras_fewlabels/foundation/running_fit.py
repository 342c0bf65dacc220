"""The `fit()` that is running: its arguments, and the end of it.

Keras tells callbacks that a fit has ended, but not that an error or Ctrl-C
has stopped it, nor which data the fit received, nor where they stand among
other callbacks. This module therefore puts a thin function around
`keras.Model.fit`. Without the callbacks of this package it changes nothing.
"""

import contextlib
import contextvars
import functools
import inspect

import keras

_innermost = contextvars.ContextVar("the innermost running fit", default=None)


def when_fit_ends(undo):
    """Calls a function when the running fit ends, however it ends.

    Callbacks call it in `set_model` or `on_train_begin`. Outside of
    `keras.Model.fit`, such as in a loop of the user's own, it does nothing.

    Args:
        undo: Function without arguments. It may have been called before, by
            `on_train_end`.
    """
    running = _innermost.get()
    if running is not None:
        running.undo.callback(undo)


def fit_arguments():
    """Returns the arguments that the running `fit()` received, as a dict.

    It is empty outside of `keras.Model.fit`.
    """
    running = _innermost.get()
    return {} if running is None else dict(running.arguments)


class _RunningFit:
    def __init__(self, arguments, undo):
        self.arguments = arguments
        self.undo = undo


def _watched(fit):
    signature = inspect.signature(fit)

    @functools.wraps(fit)
    def watched_fit(self, *args, **kwargs):
        bound = signature.bind(self, *args, **kwargs)
        given = bound.arguments.get("callbacks")
        bound.arguments["callbacks"] = _ordered(given)
        arguments = dict(bound.arguments)
        del arguments["self"]
        with contextlib.ExitStack() as undo:
            token = _innermost.set(_RunningFit(arguments, undo))
            undo.callback(_innermost.reset, token)
            return fit(*bound.args, **bound.kwargs)

    watched_fit.is_watched = True
    return watched_fit


def _ordered(callbacks):
    """Returns callbacks with those at the end that have `comes_last`."""
    if isinstance(callbacks, keras.callbacks.CallbackList) or not callbacks:
        return callbacks
    return sorted(
        keras.tree.flatten(callbacks),
        key=lambda callback: getattr(callback, "comes_last", False),
    )


if not hasattr(keras.Model.fit, "is_watched"):
    keras.Model.fit = _watched(keras.Model.fit)
