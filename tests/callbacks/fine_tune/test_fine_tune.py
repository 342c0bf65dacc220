import keras
import numpy as np
import pytest
from keras import layers

from keras_fewlabels.callbacks import FineTune

SCHEDULE = {0: 0, 1: 2, 2: "all"}


@pytest.fixture
def fit_by_hand(build_model, fit):
    """Returns a function that fits each stage alone and keeps the state."""

    def fit_by_hand(optimizer):
        model = build_model()
        backbone = model.layers[0]
        state = {}
        for top in ([], backbone.layers[-2:], backbone.layers):
            backbone.trainable = True
            for layer in backbone.layers:
                batch_norm = isinstance(layer, layers.BatchNormalization)
                layer.trainable = layer in top and not batch_norm
            stage = optimizer.from_config(optimizer.get_config())
            stage.build(model.trainable_variables)
            for variable in stage.variables:
                if variable.path in state:
                    variable.assign(state[variable.path])
            model.compile(stage, "mse", run_eagerly=True)
            fit(model, epochs=1, batch_size=4)
            state |= {
                v.path: keras.ops.convert_to_numpy(v) for v in stage.variables
            }
        return model, state

    return fit_by_hand


@pytest.mark.parametrize(
    "build_optimizer",
    [
        lambda: keras.optimizers.SGD(
            0.1, momentum=0.9, weight_decay=0.1, name="o"
        ),
        lambda: keras.optimizers.Adam(0.05, name="o"),
    ],
    ids=["SGD", "Adam"],
)
def test_equals_the_stages_by_hand(
    build_optimizer, build_model, fit, fit_by_hand
):
    expected, state = fit_by_hand(build_optimizer())
    model = build_model(build_optimizer(), run_eagerly=False)
    fit(model, FineTune("backbone", SCHEDULE), batch_size=4)
    for ours, theirs in zip(model.weights, expected.weights, strict=True):
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(ours),
            keras.ops.convert_to_numpy(theirs),
            atol=1e-6,
            err_msg=ours.path,
        )
    for variable in model.optimizer.variables:
        if variable.path in state:
            value = keras.ops.convert_to_numpy(variable)
            np.testing.assert_allclose(value, state[variable.path], atol=1e-6)


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_only_the_layers_of_the_stage_change(
    run_eagerly, build_model, fit, recorder
):
    model = build_model(run_eagerly=run_eagerly)
    fit(model, FineTune("backbone", SCHEDULE), recorder)
    assert recorder.changed == [
        {"head"},
        {"head", "high", "middle"},
        {"head", "high", "middle", "low"},
    ]


def test_batch_norm_trains_only_when_asked(build_model, fit, recorder):
    fine_tune = FineTune("backbone", {0: 0, 1: "all"}, freeze_batch_norm=False)
    fit(build_model(), fine_tune, recorder, epochs=2)
    assert "norm" not in recorder.changed[0]
    assert "norm" in recorder.changed[1]


def test_names_predicates_and_counts(build_model, fit, recorder):
    choices = [
        (["low"], {"low"}),
        (["high", "low"], {"high", "low"}),
        (lambda layer: layer.name.startswith("m"), {"middle"}),
        (1, {"high"}),
        (0, set()),
    ]
    schedule = {epoch: choice for epoch, (choice, _) in enumerate(choices)}
    fit(build_model(), FineTune("backbone", schedule), recorder, epochs=5)
    assert recorder.changed == [{"head"} | expected for _, expected in choices]


def test_layers_frozen_by_the_user_stay_frozen(build_model, fit, recorder):
    model = build_model()
    backbone = model.layers[0]
    backbone.get_layer("middle").trainable = False
    backbone.get_layer("high").bias.trainable = False
    bias = backbone.get_layer("high").bias.numpy()
    fit(model, FineTune(backbone, {0: 0, 1: "all"}), recorder, epochs=2)
    assert recorder.changed[1] == {"head", "high", "low"}
    np.testing.assert_array_equal(backbone.get_layer("high").bias.numpy(), bias)
    assert not backbone.get_layer("high").bias.trainable


def test_the_schedule_decides_for_a_backbone_frozen_as_a_whole(
    build_model, fit, recorder
):
    model = build_model()
    model.layers[0].trainable = False
    model.compile("sgd", "mse", run_eagerly=True)
    fit(model, FineTune("backbone", {0: 0, 1: "all"}), recorder, epochs=2)
    assert recorder.changed == [{"head"}, {"head", "high", "middle", "low"}]


def test_before_the_first_stage_the_flags_stay_as_they_are(
    build_model, fit, recorder
):
    model = build_model()
    model.layers[0].get_layer("low").trainable = False
    fit(model, FineTune("backbone", {1: 0}), recorder, epochs=2)
    assert "high" in recorder.changed[0]
    assert "low" not in recorder.changed[0]
    assert recorder.changed[1] == {"head"}


def test_learning_rates_are_set_and_logged(build_model, fit):
    rates = {
        1: 0.5,
        2: keras.optimizers.schedules.ExponentialDecay(0.4, 1, 0.5),
    }
    fine_tune = FineTune("backbone", SCHEDULE, learning_rates=rates)
    history = fit(build_model(), fine_tune, epochs=4, batch_size=4).history
    # Two batches an epoch; a schedule counts from the start of its stage.
    np.testing.assert_allclose(
        history["learning_rate"], [0.01, 0.5, 0.2, 0.05], rtol=1e-6
    )


def test_reports_each_stage_unless_told_to_be_silent(build_model, fit, capsys):
    def lines(verbose):
        fine_tune = FineTune("backbone", SCHEDULE, learning_rates={2: 1e-3})
        fit(build_model(), fine_tune, verbose=verbose)
        output = capsys.readouterr().out.splitlines()
        return [line for line in output if line.startswith("FineTune")]

    assert lines(verbose=0) == []
    assert lines(verbose=2) == [
        "FineTune: 4 of 97 parameters train, 0 of 4 layers of 'backbone', "
        "learning rate 0.01",
        "FineTune: 52 of 97 parameters train, 2 of 4 layers of 'backbone', "
        "learning rate 0.01",
        "FineTune: 77 of 97 parameters train, 3 of 4 layers of 'backbone', "
        "learning rate 0.001",
    ]


@pytest.mark.parametrize("schedule", [{}, [0, 5], "all"])
def test_refuses_an_empty_schedule(schedule):
    with pytest.raises(ValueError, match="`schedule` must be a dict of epochs"):
        FineTune("backbone", schedule)


@pytest.mark.parametrize("epoch", [-1, 1.0, "0", True, None])
def test_refuses_wrong_epochs(epoch):
    message = "must be an int, 0 or more. The keys of `{}` are epochs. Received"
    with pytest.raises(ValueError, match=message.format("schedule")):
        FineTune("backbone", {epoch: 0})
    with pytest.raises(ValueError, match=message.format("learning_rates")):
        FineTune("backbone", learning_rates={epoch: 0.1})


@pytest.mark.parametrize("choice", [-1, 2.5, "top", None, [1], True])
def test_refuses_wrong_choices(choice):
    with pytest.raises(ValueError, match=r"Received: schedule\[3\]="):
        FineTune("backbone", {0: 0, 3: choice})


@pytest.mark.parametrize("rate", [0, -0.1, "0.1", None, True])
def test_refuses_wrong_learning_rates(rate):
    with pytest.raises(ValueError, match=r"Received: learning_rates\[3\]="):
        FineTune("backbone", learning_rates={0: 0.1, 3: rate})


@pytest.mark.parametrize("layer_decay", [0, -0.5, 1.1, "0.8"])
def test_refuses_a_layer_decay_outside_of_0_to_1(layer_decay):
    with pytest.raises(ValueError, match="Received: layer_decay="):
        FineTune("backbone", layer_decay=layer_decay)
