import csv
import io

import hypothesis
import pytest
from hypothesis import strategies as st

from keras_fewlabels.foundation import csv_text, printable, read_csv

FORMULAS = (
    '=HYPERLINK("http://example.org","rose")',
    "=1+1.png",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1)",
    "  =1",
    "'=1",
    "\uff1d1+1",
)
NAMES = (
    *FORMULAS,
    "rose",
    "",
    "a, b; c",
    'a "b"',
    "'quoted'",
    "-1",
    "-0.25",
    "1e5",
    "a|b",
    "<script>",
    "$x$",
    "a\nb",
    "a\r\nb",
    "a\u2028b\x85c\x0bd",
    "\u202egnp.esor",
    "caf\udce9",
    "\ud800",
    "x" * 200_000,
)


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name)[:12])
def test_text_is_read_as_it_was_written(tmp_path, name):
    file = tmp_path / "table.csv"
    file.write_text(csv_text(["class", "n"], [(name, 1), ("rose", 2)]))
    assert read_csv(file, ["class"], "file", "a table") == [
        {"class": printable(name), "n": "1"},
        {"class": "rose", "n": "2"},
    ]


@pytest.mark.parametrize("name", FORMULAS)
def test_no_cell_is_a_formula(name):
    (_, (cell,)) = csv.reader(io.StringIO(csv_text(["class"], [(name,)])))
    # A spreadsheet shows what begins with an apostrophe as text.
    assert cell == "'" + printable(name)


def test_numbers_stay_numbers():
    assert csv_text(["n"], [(-0.5,), ("-1.25",), (3,)]) == "n\n-0.5\n-1.25\n3\n"


@hypothesis.settings(derandomize=True, deadline=None, database=None)
@hypothesis.given(rows=st.lists(st.lists(st.text(), min_size=2, max_size=2)))
def test_any_text_is_read_as_it_was_written(tmp_path_factory, rows):
    file = tmp_path_factory.getbasetemp() / "any.csv"
    file.write_text(csv_text(["a", "b"], rows), newline="")
    assert [
        [row["a"], row["b"]] for row in read_csv(file, "ab", "f", "it")
    ] == [[*map(printable, row)] for row in rows if any(row)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_files_of_spreadsheets(tmp_path, delimiter, end):
    lines = ["path|veto", '"a\nb"|yes', "", "c", "|||", '"d,e;f"|no|more']
    text = end.join(lines).replace("|", delimiter)
    (tmp_path / "table.csv").write_bytes(text.encode("utf-8-sig"))
    rows = read_csv(tmp_path / "table.csv", ["path", "veto"], "f", "it")
    assert rows == [
        {"path": "a\nb", "veto": "yes"},
        {"path": "c", "veto": ""},
        {"path": "d,e;f", "veto": "no"},
    ]


@pytest.mark.parametrize(
    "content, expected",
    [
        (b"", r"without \['path', 'veto'\]"),
        (b"\n\n", "without"),
        (b"path,label\n1,2", r"without \['veto'\]"),
        (b"path,veto,veto\n1,yes,no", r"with two of \['veto'\]"),
        (b"path,veto\nsch\xf6n.png,yes", "utf-8"),
        ("path,veto\n1,yes".encode("utf-16"), "utf-8"),
        (b'path,veto\n1,"yes', "unexpected end of data"),
        (b'path,veto\n1,"yes"no\n', "expected after"),
        (b"PK\x03\x04\0\0\0", "without"),
    ],
)
def test_other_files_are_refused_by_name(tmp_path, content, expected):
    file = tmp_path / "table.csv"
    file.write_bytes(content)
    with pytest.raises(
        ValueError, match=f"(?s)`f` must be it.*{expected}"
    ) as e:
        read_csv(file, ["path", "veto"], "f", "it")
    assert str(file) in str(e.value)
