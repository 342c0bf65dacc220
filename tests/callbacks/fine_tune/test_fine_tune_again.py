"""A second fit, a fit after an interrupted one, and a resumed fit."""

import keras
import numpy as np
import pytest

from keras_fewlabels.callbacks import FineTune


def test_flags_and_rate_are_restored_and_a_second_fit_equals_the_first(
    build_model, fit, recorder
):
    # Compiled, because traces of the first fit may remain.
    model = build_model(run_eagerly=False)
    model.layers[0].get_layer("low").trainable = False
    flags = [layer.trainable for layer in model._flatten_layers()]
    fine_tune = FineTune("backbone", {0: 0, 1: 2}, learning_rates={1: 0.5})
    fit(model, fine_tune, recorder, epochs=2)
    first = recorder.changed
    assert first == [{"head"}, {"head", "high", "middle"}]
    assert flags == [layer.trainable for layer in model._flatten_layers()]
    assert float(model.optimizer.learning_rate.numpy()) == pytest.approx(0.01)
    fit(model, fine_tune, recorder, epochs=2)
    assert recorder.changed == first
    # Without the callback, the layers train that trained before.
    fit(model, recorder, epochs=1)
    assert recorder.changed == [{"head", "high", "middle", "norm"}]


@pytest.mark.parametrize("hook", ["on_epoch_end", "on_train_batch_end"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_error_undoes_everything_at_once(
    build_model, fit, recorder, hook, error
):
    def interrupt(*args, **kwargs):
        raise error

    model = build_model()
    model.layers[0].get_layer("low").trainable = False
    flags = [layer.trainable for layer in model._flatten_layers()]
    interrupted = FineTune(
        "backbone", {0: 1}, learning_rates={0: 0.5}, layer_decay=0.5
    )
    stop = keras.callbacks.Callback()
    setattr(stop, hook, interrupt)
    with pytest.raises(error):
        fit(model, interrupted, stop)
    assert flags == [layer.trainable for layer in model._flatten_layers()]
    assert float(model.optimizer.learning_rate.numpy()) == pytest.approx(0.01)
    assert "_backend_update_step" not in vars(model.optimizer)
    # A fit without the callback trains what trained before.
    fit(model, recorder, epochs=1)
    assert recorder.changed == [{"head", "high", "middle", "norm"}]


def test_optimizer_object_iterations_and_state_carry_over(build_model, fit):
    model = build_model(keras.optimizers.Adam(0.05))
    model.layers[0].trainable = False
    fit(model, epochs=2)
    optimizer = model.optimizer
    head = [v for v in optimizer.variables if "head" in v.path]
    before = [keras.ops.convert_to_numpy(v) for v in head]
    FineTune("backbone", {0: "all"}).set_model(model)
    assert model.optimizer is optimizer
    after = [v for v in optimizer.variables if "head" in v.path]
    assert len(before) == 4
    for value, variable in zip(before, after, strict=True):
        np.testing.assert_array_equal(value, variable.numpy())
    fit(model, FineTune("backbone", {0: "all"}), epochs=1)
    assert int(optimizer.iterations.numpy()) == 3


def test_resumes_in_the_stage_of_the_epoch(build_model, fit, tmp_path):
    class Crash(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise RuntimeError("power cut")

    rates = {1: keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.9)}

    def build():
        return build_model(keras.optimizers.Adam(0.05))

    def run(model, *callbacks):
        fine_tune = FineTune("backbone", {0: 0, 1: 1, 3: "all"}, rates)
        return fit(model, fine_tune, *callbacks, epochs=4, batch_size=4)

    def backup():
        return keras.callbacks.BackupAndRestore(tmp_path)

    expected = build()
    run(expected)
    with pytest.raises(RuntimeError, match="power cut"):
        run(build(), backup(), Crash())
    resumed = build()
    history = run(resumed, backup())
    assert history.epoch == [2, 3]
    for ours, theirs in zip(resumed.weights, expected.weights, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=1e-6)
    # `BackupAndRestore` would make the next fit begin with a later epoch.
    assert fit(resumed, epochs=1).epoch == [0]
