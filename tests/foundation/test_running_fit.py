import inspect

import keras
import numpy as np
import pytest

from keras_fewlabels.foundation import fit_arguments, when_fit_ends

X, Y = np.ones((4, 2)), np.ones((4, 1))


def build_model():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    return model


class Watch(keras.callbacks.Callback):
    """Stores the arguments of the fit, and counts its ends."""

    def __init__(self, stop_in=None, error=None):
        super().__init__()
        self.num_ends = 0
        if stop_in is not None:
            setattr(self, stop_in, self.stop)
        self.error = error

    def stop(self, *args, **kwargs):
        raise self.error

    def on_train_begin(self, logs=None):
        self.arguments = fit_arguments()
        when_fit_ends(self.count)

    def count(self):
        self.num_ends += 1


def test_the_end_of_a_fit_and_its_arguments():
    watch = Watch()
    model = build_model()
    for number in (1, 2):
        model.fit(X, Y, batch_size=2, verbose=0, callbacks=[watch])
        assert watch.num_ends == number
    assert watch.arguments["x"] is X
    assert watch.arguments["batch_size"] == 2
    assert "epochs" not in watch.arguments
    assert fit_arguments() == {}
    when_fit_ends(watch.count)
    assert watch.num_ends == 2


@pytest.mark.parametrize(
    "hook", ["on_epoch_begin", "on_train_batch_end", "on_test_begin"]
)
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, OSError])
def test_an_error_ends_a_fit(hook, error):
    watch = Watch(hook, error)
    with pytest.raises(error):
        build_model().fit(
            X, Y, verbose=0, callbacks=[watch], validation_data=(X, Y)
        )
    assert watch.num_ends == 1
    assert fit_arguments() == {}


def test_an_error_in_the_data_ends_a_fit():
    def batches():
        # Keras reads the first ones before the callbacks begin.
        yield from [(X, Y)] * 8
        raise RuntimeError("a broken file")

    watch = Watch()
    with pytest.raises(Exception, match="a broken file"):
        build_model().fit(
            batches(), steps_per_epoch=9, verbose=0, callbacks=[watch]
        )
    assert watch.num_ends == 1


def test_a_fit_inside_of_a_fit_has_its_own_end():
    outer, inner = Watch(), Watch()
    nested = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: build_model().fit(
            X[:2], Y[:2], verbose=0, callbacks=[inner]
        ),
        on_epoch_end=lambda epoch, logs: counts.append(
            (outer.num_ends, inner.num_ends, len(fit_arguments()["x"]))
        ),
    )
    counts = []
    build_model().fit(X, Y, verbose=0, callbacks=[outer, nested])
    assert counts == [(0, 1, 4)]
    assert outer.num_ends == 1


def test_callbacks_that_come_last_are_called_last():
    def note(name, comes_last=None):
        callback = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: called.append(name)
        )
        if comes_last is not None:
            callback.comes_last = comes_last
        return callback

    called = []
    given = [note("last", True), note("a"), [note("b", False), note("c")]]
    before = list(given)
    model = build_model()
    model.fit(X, Y, verbose=0, callbacks=given)
    assert called == ["a", "b", "c", "last"]
    assert given == before
    # Without a list, and in a list that is complete as it is.
    model.fit(X, Y, verbose=0, callbacks=given[0])
    whole = keras.callbacks.CallbackList(
        [note("last", True), note("d")], model=model, epochs=1, verbose=0
    )
    model.fit(X, Y, verbose=0, callbacks=whole)
    assert called[4:] == ["last", "last", "d"]


def test_fit_keeps_its_name_and_signature():
    assert keras.Model.fit.__name__ == "fit"
    parameters = list(inspect.signature(keras.Model.fit).parameters)
    assert parameters[:3] == ["self", "x", "y"]
    with pytest.raises(TypeError, match="unexpected keyword"):
        build_model().fit(X, Y, wrong=1)
