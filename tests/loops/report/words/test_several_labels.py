import pytest

from keras_fewlabels.loops.report.words.several_labels import (
    answer_names,
    decisions_line,
    has_several_labels,
    hidden_labels,
    kind_names,
)


@pytest.mark.parametrize("several", [{}, {"several_labels": False}])
def test_one_class_per_image(several):
    details = {"data": {"num_classes": 2, "class_names": ["a", "b"], **several}}
    assert not has_several_labels(details)
    assert answer_names(details) == ["a", "b"]
    assert kind_names(details) == ("class", "classes")
    assert decisions_line(details) == ""
    assert hidden_labels(details, 1200) == "1,200 hidden labels"


def test_several_labels():
    data = {"num_classes": 2, "several_labels": True}
    assert has_several_labels({"data": data})
    assert kind_names({"data": data}) == ("label", "labels")
    assert "labels of 1,200 images" in hidden_labels({"data": data}, 1200)
    assert "each of the 2 labels" in decisions_line({"data": data})
    assert answer_names({"data": data}) == ["not 0", "0", "not 1", "1"]
    named = {**data, "class_names": ["sea", "sky"]}
    assert answer_names({"data": named}) == ["not sea", "sea", "not sky", "sky"]
