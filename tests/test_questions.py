"""Every snippet of the page of questions runs, one after the other."""

import re

import matplotlib
import pytest

from documents import ROOT, snippets_of, write_folders_of_digits

PAGE = ROOT / ".docs" / "pages" / "questions.md"
pytestmark = pytest.mark.tensorflow


def test_snippets_run(tmp_path, monkeypatch, eager):
    monkeypatch.chdir(tmp_path)
    matplotlib.use("agg")
    write_folders_of_digits()
    names = {}
    for snippet in snippets_of(PAGE):
        exec(compile(snippet, PAGE.name, "exec"), names)
    assert names["folders"].findings.to_dict()["skipped"]
    assert names["labeler"].rounds[-1]["kept"] > 0
    assert len(names["indices"]) == 0  # nobody has labelled


def test_each_question_is_answered_by_code():
    sections = re.split(r"^### ", PAGE.read_text(), flags=re.MULTILINE)[1:]
    assert len(sections) >= 20
    for section in sections:
        assert "```python\n" in section, section.splitlines()[0]


def test_method_of_ones_own_is_short():
    (snippet,) = [text for text in snippets_of(PAGE) if "TwoViews" in text]
    assert len(snippet.splitlines()) < 20
