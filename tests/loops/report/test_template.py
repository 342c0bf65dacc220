import sys

import jinja2
import pytest

from keras_fewlabels.loops.report.template import jinja_template

PAGE = "page.html.jinja"


def test_templates_of_the_package_are_found():
    assert isinstance(jinja_template(PAGE, autoescape=True), jinja2.Template)
    with pytest.raises(jinja2.TemplateNotFound):
        jinja_template("nothing.html", autoescape=True)


def test_what_is_missing_is_an_error_and_not_blank():
    with pytest.raises(jinja2.UndefinedError):
        jinja_template(PAGE, autoescape=True).render()


def test_without_jinja_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ImportError, match=r"keras-fewlabels\[report\]"):
        jinja_template(PAGE, autoescape=True)
