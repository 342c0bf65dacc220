import pytest

from keras_fewlabels.foundation.text_table import (
    check_class_names,
    class_name,
    text_table,
)


def test_columns_are_as_wide_as_their_widest_text():
    assert text_table(["a", "bcd"], [(1000, "x"), (2, "yy")]) == [
        "   a  bcd",
        "1000    x",
        "   2   yy",
    ]


def test_names_of_classes():
    assert class_name(1, ["cat", "dog"]) == "dog"
    assert class_name(1, None) == "1"
    check_class_names(["cat", "dog"], 2)
    for names in (["cat"], "ab"):
        with pytest.raises(ValueError, match="each of the 2 classes"):
            check_class_names(names, 2)
