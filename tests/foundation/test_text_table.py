import numpy as np
import pytest

from keras_fewlabels.foundation.text_table import (
    check_class_names,
    class_name,
    printable,
    text_table,
    yes_and_no,
)


def test_columns_are_as_wide_as_their_widest_text():
    assert text_table(["a", "bcd"], [(1000, "x"), (2, "yy")]) == [
        "   a  bcd",
        "1000    x",
        "   2   yy",
    ]


def test_names_stand_at_the_left_and_no_line_ends_with_blanks():
    assert text_table(["a", "bcd", ""], [["efg", "h", "ij"]], num_left=1) == [
        "a    bcd",
        "efg    h  ij",
    ]


def test_cells_take_one_line_and_no_control_of_the_terminal():
    head, row = text_table(["name"], [["a\nb\x1b[31m"]])
    assert row == r"a\nb\x1b[31m"
    assert len(head) == len(row)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("plain é 漢字 😀", "plain é 漢字 😀"),
        ("no\u00a0break\u3000", "no\u00a0break\u3000"),
        ("👩\u200d🔬 é\u200cé", "👩\u200d🔬 é\u200cé"),
        ("a\tb\r\nc", r"a\tb\r\nc"),
        ("\x00\x1b\x7f\x9b", r"\x00\x1b\x7f\x9b"),
        ("\u2028\u202e\u200f\u2066", r"\u2028\u202e\u200f\u2066"),
        # A byte of a file name, and half a pair of letters.
        ("\udce9\ud800", r"\xe9\ud800"),
        (r"back\slash", r"back\slash"),
        (3, "3"),
    ],
)
def test_what_cannot_be_seen_is_written_as_an_escape(text, expected):
    assert printable(text) == expected
    printable(text).encode()


def test_names_of_classes():
    assert class_name(1, ["cat", "dog"]) == "dog"
    assert class_name(1, None) == "1"
    assert yes_and_no(["cat"], 1) == ["not cat", "cat"]
    assert yes_and_no(None, 2) == ["not 0", "0", "not 1", "1"]


def test_class_names_are_one_text_per_class():
    check_class_names(["cat", "dog"], 2)
    check_class_names(np.array(["cat", "dog"]))
    check_class_names([0, 1], 2)
    check_class_names(None, 7)
    check_class_names(["cat", "dog", "owl"], 2, at_least=True)
    for names in (["cat"], "ab", {"cat", "dog"}, ["cat", "dog", "owl"], 2):
        with pytest.raises(ValueError, match=r"the 2 classes.*Received"):
            check_class_names(names, 2)
    with pytest.raises(ValueError, match="each of the 2 classes"):
        check_class_names(["cat"], 2, at_least=True)
    for names in (["cat", "cat"], ["cat", ""]):
        with pytest.raises(ValueError, match=r"different strings.*Received"):
            check_class_names(names, 2)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("Katze 日本 ä ½", "Katze 日本 ä ½"),
        ("a\\b'\"", "a\\b'\""),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\nb\r\tc\x85", "a\\nb\\r\\tc\\x85"),
        ("\u202egnp\u2066\u200e\ufeff", "\\u202egnp\\u2066\\u200e\\ufeff"),
        ("a\u2028b\u2029", "a\\u2028b\\u2029"),
        ("caf\udce9.png", "caf\\xe9.png"),
        ("\ud800", "\\ud800"),
        # Letters of Persian and pictures of families need the joiners.
        ("می\u200cشود \U0001f469\u200d\U0001f467", None),
    ],
)
def test_printable_text_has_nothing_hidden(text, expected):
    assert printable(text) == (text if expected is None else expected)
    assert printable(printable(text)) == printable(text)
    printable(text).encode()
