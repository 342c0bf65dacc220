import keras
import numpy as np
import pytest

from keras_fewlabels.plots import learning_curves

HISTORY = {
    "loss": [3.0, 2.0, 1.5, 1.25],
    "accuracy": [0.25, 0.5, 0.75, 0.875],
    "val_loss": [4.0, 3.0, 2.5, 2.25],
}


def lines_of(axes):
    return {
        line.get_label(): (line.get_linestyle(), *line.get_data())
        for line in axes.lines
        if line.get_label() in ("training", "validation")
    }


def legend_of(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def check_line(line, style, epochs, values):
    assert line[0] == style
    np.testing.assert_array_equal(line[1], epochs)
    np.testing.assert_array_equal(line[2], values)


def test_a_panel_per_metric_training_solid_and_validation_dashed(tmp_path):
    figure = learning_curves(HISTORY)
    loss, accuracy = figure.axes
    assert [axes.get_title() for axes in figure.axes] == ["loss", "accuracy"]
    check_line(lines_of(loss)["training"], "-", [1, 2, 3, 4], HISTORY["loss"])
    check_line(
        lines_of(loss)["validation"], "--", [1, 2, 3, 4], HISTORY["val_loss"]
    )
    assert list(lines_of(accuracy)) == ["training"]
    assert legend_of(figure) == ["training", "validation"]
    figure.savefig(tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes()[1:4] == b"PNG"


def test_history_of_a_resumed_run_starts_at_its_epoch():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    x = np.ones((2, 1))
    history = model.fit(x, x, epochs=4, initial_epoch=2, verbose=0)
    (axes,) = learning_curves(history).axes
    check_line(lines_of(axes)["training"], "-", [3, 4], history.history["loss"])


def test_validation_of_every_other_epoch_is_where_it_was_measured():
    history = {"loss": [5.0, 4.0, 3.0, 2.0, 1.0], "val_loss": [4.5, 2.5]}
    (axes,) = learning_curves(history).axes
    check_line(lines_of(axes)["validation"], "--", [2, 4], [4.5, 2.5])


@pytest.mark.parametrize(
    "epochs, count, places",
    [
        (range(1, 8), 2, [3, 6]),
        (range(1, 11), 2, [5, 10]),
        # Resumed, so that the first validation comes after two epochs.
        (range(5, 10), 2, [6, 9]),
    ],
)
def test_validation_of_few_epochs(epochs, count, places):
    history = keras.callbacks.History()
    history.epoch = [epoch - 1 for epoch in epochs]
    history.history = {
        "loss": [1.0] * len(epochs),
        "val_loss": [2.0] * count,
    }
    (axes,) = learning_curves(history).axes
    check_line(lines_of(axes)["validation"], "--", places, [2.0] * count)


def test_several_histories_have_a_colour_each():
    figure = learning_curves(
        {"frozen": HISTORY, "fine-tuned": {"loss": [1.0, 0.5]}}
    )
    assert legend_of(figure) == [
        *("frozen", "fine-tuned", "training", "validation")
    ]
    # The styles need an entry only if there are two.
    figure_of_training = learning_curves({"a": {"loss": [1.0, 0.5]}})
    assert legend_of(figure_of_training) == ["a"]
    loss, accuracy = figure.axes
    colors = [line.get_color() for line in loss.lines]
    assert colors[0] == colors[1] != colors[2]
    assert len(accuracy.lines) == 1


def test_chosen_metrics_in_their_order():
    figure = learning_curves(HISTORY, metrics=["accuracy", "loss"])
    assert [axes.get_title() for axes in figure.axes] == ["accuracy", "loss"]


def test_panels_wrap_and_none_is_empty():
    figure = learning_curves({name: [1.0, 2.0] for name in "abcd"})
    assert [axes.get_title() for axes in figure.axes] == list("abcd")


def test_stages_are_marked_in_front_of_their_first_epoch():
    def predicate(layer):
        return True

    stages = {3: "all", 0: 0, 1: 20, 2: ["a", "b"], 9: predicate}
    (axes,) = learning_curves(HISTORY, ["loss"], stages).axes
    marked = [
        line.get_xdata()[0]
        for line in axes.lines
        if line.get_linestyle() == ":"
    ]
    assert marked == [1.5, 2.5, 3.5]
    names = [text.get_text().strip() for text in axes.texts]
    assert names == ["frozen", "top 20", "2 layers", "all"]


def test_wide_ranges_are_drawn_on_a_logarithmic_scale():
    history = {"learning_rate": [1e-3, 1e-5], "loss": [1.0, 0.5]}
    rate, loss = learning_curves(history).axes
    assert (rate.get_yscale(), loss.get_yscale()) == ("log", "linear")


WRONG = [
    ([1.0, 2.0], {}, r"that `fit\(\)` returns.*history=\[1.0, 2.0\]"),
    ({}, {}, r"one metric or more.*There are \[\]"),
    (HISTORY, {"metrics": ["auc"]}, r"\['loss', 'accuracy'\].*\['auc'\]"),
    ({"a": HISTORY, "b": [1.0]}, {}, r"must be a history.*\[1.0\]"),
    (
        {"loss": [3.0, 2.0, 1.0], "val_loss": [2.0, 1.0]},
        {},
        r"2 values of 'val_loss' in 3 epochs",
    ),
]


@pytest.mark.parametrize("history, kwargs, message", WRONG)
def test_wrong_arguments(history, kwargs, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        learning_curves(history, **kwargs)


@pytest.mark.parametrize("name", ["a", "fine-tuning on labels", "x" * 60])
def test_a_legend_is_no_wider_than_the_figure(name):
    history = {"loss": [2.0, 1.0], "val_loss": [2.0, 1.5]}
    figure = learning_curves({f"{name} {n}": history for n in range(6)})
    figure.draw_without_rendering()
    (legend,) = figure.legends
    assert legend.get_window_extent().width <= figure.bbox.width
