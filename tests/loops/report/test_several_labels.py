import pytest

from keras_fewlabels.loops.report.several_labels import (
    answer_names,
    decisions_line,
    has_several_labels,
    hidden_labels,
    main_figure,
)


@pytest.mark.parametrize("several", [{}, {"several_labels": False}])
def test_one_class_per_image(several):
    details = {"data": {"num_classes": 2, "class_names": ["a", "b"], **several}}
    assert not has_several_labels(details)
    assert answer_names(details) == ["a", "b"]
    assert decisions_line(details) == ""
    assert hidden_labels(details, 1200) == "1,200 hidden labels"
    assert main_figure({"accuracy": 0.5}) == ("accuracy", 0.5)


def test_several_labels():
    data = {"num_classes": 2, "several_labels": True}
    assert has_several_labels({"data": data})
    assert "labels of 1,200 images" in hidden_labels({"data": data}, 1200)
    figures = {"accuracy": 0.9, "mean_average_precision": 0.5}
    assert main_figure(figures) == ("mean_average_precision", 0.5)
    # No image has a label.
    assert main_figure({"accuracy": 1, "mean_average_precision": None})[1] == 1
    assert "each of the 2 labels" in decisions_line({"data": data})
    assert answer_names({"data": data}) == ["not 0", "0", "not 1", "1"]
    named = {**data, "class_names": ["sea", "sky"]}
    assert answer_names({"data": named}) == ["not sea", "sea", "not sky", "sky"]
