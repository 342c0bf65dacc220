import html
import re
import sys

import jinja2
import pytest

from keras_fewlabels.foundation import printable
from keras_fewlabels.loops.report.template import (
    jinja_template,
    markdown_text,
)

PAGE = "page/page.html.jinja"


def test_templates_of_the_package_are_found():
    assert isinstance(jinja_template(PAGE), jinja2.Template)
    with pytest.raises(jinja2.TemplateNotFound):
        jinja_template("nothing.html")


def test_what_is_missing_is_an_error_and_not_blank():
    with pytest.raises(jinja2.UndefinedError):
        jinja_template(PAGE).render()


def test_without_jinja_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ImportError, match=r"keras-fewlabels\[report\]"):
        jinja_template(PAGE)


HOSTILE = [
    *("<script>alert(1)</script>", "a|b", "![](http://evil.example/x.png)"),
    *("[text](javascript:x)", "<img src=x>", "`code`", "*a* _b_ __c__ ~~d~~"),
    *("$x$", "# head", "@someone", ":smile:", "http://evil.example"),
    *("two\nlines", "www.evil.example", "&lt;", "back\\|slash", "\udce9"),
]


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_shows_names_as_they_are(text):
    escaped = markdown_text(text)
    # Entities are the only mark-up that is left.
    plain = html.unescape(escaped)
    assert plain == printable(text)
    left = re.sub(r"&#\d+;", "", escaped)
    assert not re.search(r"[<>|`*\[\]!$\\#@&\n]|://|:s|__|www\.", left)
    escaped.encode()


@pytest.mark.parametrize(
    "text", ["snake_case_name", "1:02:05", "images: 3 (4-5) of 6,000; +1.0 %"]
)
def test_markdown_leaves_harmless_text_alone(text):
    assert markdown_text(text) == text
