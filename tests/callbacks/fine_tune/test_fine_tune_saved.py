"""Models that are saved in the middle of a fit, and go on later."""

import keras
import numpy as np
import pytest

from keras_fewlabels.callbacks import FineTune

SCHEDULE = {0: 0, 2: 2, 3: "all"}


def value_of(variable):
    return keras.ops.convert_to_numpy(variable)


def save_each_epoch(folder):
    return keras.callbacks.ModelCheckpoint(folder / "{epoch}.keras")


@pytest.mark.parametrize(
    "frozen, freeze_batch_norm",
    [("nothing", False), ("nothing", True), ("all", True), ("low", True)],
)
def test_saved_models_go_on_like_one_that_was_not_saved(
    build_model, fit, tmp_path, frozen, freeze_batch_norm
):
    def fine_tune():
        return FineTune(
            "backbone", SCHEDULE, freeze_batch_norm=freeze_batch_norm
        )

    expected = build_model(keras.optimizers.Adam(0.05))
    backbone = expected.layers[0]
    if frozen == "all":
        backbone.trainable = False
    elif frozen == "low":
        backbone.get_layer("low").trainable = False
    fit(expected, fine_tune(), save_each_epoch(tmp_path), epochs=4)
    for epoch in (1, 2, 3):
        resumed = keras.saving.load_model(tmp_path / f"{epoch}.keras")
        resumed.run_eagerly = True
        assert int(value_of(resumed.optimizer.iterations)) == epoch
        assert resumed.get_layer("backbone").trainable
        fit(resumed, fine_tune(), epochs=4, initial_epoch=epoch)
        for ours, theirs in zip(resumed.weights, expected.weights, strict=True):
            np.testing.assert_allclose(
                value_of(ours), value_of(theirs), atol=1e-6
            )


def test_after_the_fit_models_are_saved_as_ever(build_model, fit, tmp_path):
    model = build_model()
    model.layers[0].trainable = False
    fit(model, FineTune("backbone", {0: "all"}), epochs=1)
    assert not any("get_config" in vars(layer) for layer in model.layers)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert not loaded.get_layer("backbone").trainable
