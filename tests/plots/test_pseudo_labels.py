import numpy as np
import pytest

from keras_fewlabels.plots import pseudo_labels

LABELS = {
    "label": np.array([0, 0, 2, 2, 2, -1, -1]),
    # A sum of probabilities can be above 1 by a rounding error.
    "confidence": np.array([0.96, 0.97, 0.91, 0.92, 1.000001, 0.62, 0.63]),
}
TRUTH = np.array([0, 1, 2, 2, 2, 1, 1])
ROUNDS = [
    {"epoch": 2, "share": 3 / 7, "class_counts": [2, 0, 1]},
    {"epoch": 4, "share": 5 / 7, "class_counts": [2, 0, 3]},
]


def bars_of(axes):
    """Rows of the lengths of bars, one row per colour."""
    is_upright = axes.get_title() == "confidence"
    return [
        [bar.get_height() if is_upright else bar.get_width() for bar in bars]
        for bars in axes.containers
    ]


def legend_of(part):
    return [text.get_text() for text in part.get_texts()]


def test_without_truth_images_are_split_by_having_a_label(tmp_path):
    figure = pseudo_labels(LABELS, ROUNDS)
    confidence, classes, rounds = figure.axes
    assert [axes.get_title() for axes in figure.axes] == [
        *("confidence", "classes of the labels", "rounds")
    ]
    # The bins from 0.6, 0.9, 0.95 and 0.9999; 1 belongs to the last.
    left_out = [0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    kept = [0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1]
    np.testing.assert_array_equal(bars_of(confidence), [kept, left_out])
    np.testing.assert_array_equal(bars_of(classes), [[2, 0, 3]])
    (share,) = rounds.lines
    np.testing.assert_allclose(share.get_xydata(), [[3, 3 / 7], [5, 5 / 7]])
    assert legend_of(figure.legends[0]) == ["with a label: 5", "no label: 2"]
    assert legend_of(rounds.get_legend()) == ["share with a label: 71%"]
    figure.savefig(tmp_path / "labels.png")
    assert (tmp_path / "labels.png").read_bytes()[1:4] == b"PNG"


def test_truth_splits_the_labels_and_outlines_the_classes():
    labels = {**LABELS, "truth": TRUTH}
    history = [
        {**each, "accuracy": accuracy}
        for each, accuracy in zip(ROUNDS, (0.5, 0.8), strict=True)
    ]
    figure = pseudo_labels(labels, history, ["cat", "dog", "cow"])
    confidence, classes, rounds = figure.axes
    assert [sum(bars) for bars in bars_of(confidence)] == [4, 1, 2]
    # The wrong one stands on the right ones of its bin.
    wrong = confidence.containers[1][10]
    assert (wrong.get_y(), wrong.get_height()) == (1, 1)
    np.testing.assert_array_equal(bars_of(classes), [[1, 0, 3], [1, 0, 0]])
    outline = classes.patches[-1].get_data()
    np.testing.assert_array_equal(outline.values, [1, 3, 3])
    np.testing.assert_array_equal(outline.edges, [-0.5, 0.5, 1.5, 2.5])
    names = [text.get_text() for text in classes.get_yticklabels()]
    assert names == ["cat", "dog", "cow"]
    _, accuracy = rounds.lines
    np.testing.assert_allclose(accuracy.get_xydata(), [[3, 0.5], [5, 0.8]])
    assert legend_of(figure.legends[0]) == [
        *("right: 4", "wrong: 1", "no label: 2", "all images, by truth")
    ]
    assert legend_of(rounds.get_legend())[1].endswith("right: 80%")


def test_nothing_kept():
    labels = {**LABELS, "label": np.full(7, -1), "truth": TRUTH}
    history = [
        {
            "epoch": 0,
            "share": 0.0,
            "class_counts": [0, 0, 0],
            "accuracy": float("nan"),
        }
    ]
    figure = pseudo_labels(labels, history)
    confidence, classes, rounds = figure.axes
    assert [sum(bars) for bars in bars_of(confidence)] == [0, 0, 7]
    assert not np.any(bars_of(classes))
    assert rounds.get_xticks().tolist() == [1]
    assert legend_of(rounds.get_legend())[1].endswith("right: none")


def test_more_classes_than_names_have_room():
    label = np.repeat(np.arange(100), 3)
    labels = {"label": label, "confidence": np.ones(300)}
    history = [{"epoch": 0, "share": 1.0, "class_counts": [3] * 100}]
    figure = pseudo_labels(labels, history, [f"name {n}" for n in range(100)])
    classes = figure.axes[1]
    # One shape instead of a bar per class.
    (shape,) = classes.patches
    assert shape.get_data().values.tolist() == [3] * 100
    assert shape.get_fill()
    assert len(classes.get_yticks()) < 20
    assert classes.get_ylabel() == "class"


WRONG = [
    ([0, 1], ROUNDS, {}, r"to_dict\(\).*list without \['confidence', 'label'"),
    ({"label": [0]}, ROUNDS, {}, r"dict without \['confidence'\]"),
    (
        {"label_0": [0], "confidence_0": [1.0], "label_1": [1]},
        ROUNDS,
        {},
        r"Several labels per image are not drawn.*\['confidence_0'",
    ),
    (
        {**LABELS, "truth": TRUTH[:3]},
        ROUNDS,
        {},
        r"one value per image.*\[\(7,\), \(7,\), \(3,\)\]",
    ),
    (LABELS, [], {}, r"must hold a round.*rounds=\[\]"),
    (
        LABELS,
        ROUNDS,
        {"class_names": ["cat", "dog"]},
        r"each of the 3 classes.*class_names=\['cat', 'dog'\]",
    ),
]


@pytest.mark.parametrize("labels, rounds, kwargs, message", WRONG)
def test_wrong_arguments(labels, rounds, kwargs, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        pseudo_labels(labels, rounds, **kwargs)
