import collections

import numpy as np

from keras_fewlabels.loops.report.page.examples import (
    choose_examples,
    foreign_rows,
    shown_examples,
)

RNG = np.random.default_rng(0)


def chosen_of(num_images, num_classes):
    labels, predicted = RNG.integers(0, num_classes, (2, num_images))
    confidence = RNG.random(num_images)
    return labels, predicted, confidence


def test_every_cell_has_its_most_surprising_images():
    labels, predicted, confidence = chosen_of(500, 3)
    chosen = choose_examples(labels, predicted, confidence)
    assert [row["confidence"] for row in chosen] == sorted(
        (row["confidence"] for row in chosen), reverse=True
    )
    cells = collections.defaultdict(set)
    for row in chosen:
        index = row["index"]
        cell = labels[index], predicted[index]
        assert cell == (row["true"], row["predicted"])
        assert confidence[index] == row["confidence"]
        cells[cell].add(index)
    assert len(cells) == 9
    surest = np.argsort(-np.where(labels != predicted, confidence, -1))[:20]
    for (true, guess), found in cells.items():
        inside = np.flatnonzero((labels == true) & (predicted == guess))
        sign = 1 if true == guess else -1
        order = inside[np.argsort(sign * confidence[inside])]
        assert found == {*order[:24].tolist()}
    assert {*surest.tolist()} <= {row["index"] for row in chosen}


def test_a_page_has_a_bounded_number_with_the_surest_mistakes():
    labels, predicted, confidence = chosen_of(4000, 40)
    # All surest mistakes are in one cell.
    labels[:30], predicted[:30], confidence[:30] = 0, 1, 1.0
    chosen = choose_examples(labels, predicted, confidence)
    assert len(chosen) == 600
    first = [row for row in chosen if row["true"] == 0 != row["predicted"]]
    assert [row["confidence"] for row in first[:20]] == [1.0] * 20
    # Each cell has one image before another cell has two.
    cells = collections.Counter(
        (row["true"], row["predicted"])
        for row in chosen
        if row["confidence"] < 1
    )
    assert set(cells.values()) == {1}


def test_without_mistakes_there_are_right_answers():
    labels = np.array([1, 1, 0])
    chosen = choose_examples(labels, labels, np.array([0.5, 0.75, 0.6]))
    assert [row["index"] for row in chosen] == [1, 2, 0]


def test_without_images_nothing_is_shown():
    details = {"data": {}, "phases": [{"pool": None}, {}]}
    assert foreign_rows(details) == []
    rows = [{"true": 0, "predicted": 0, "confidence": 1.0}]
    assert shown_examples({**details, "examined": {"examples": rows}}, {}) == {
        "examples": [],
        "mistakes": [],
        "foreign": [],
    }
