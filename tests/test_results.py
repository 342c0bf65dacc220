"""The pages of what was measured are made of the files of results."""

import argparse
import importlib.util
import json
import sys

import pytest

from documents import ROOT

BENCHMARKS = ROOT / "tests" / "benchmarks"


@pytest.fixture(scope="module")
def results():
    spec = importlib.util.spec_from_file_location(
        "results", BENCHMARKS / "results.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pages_are_up_to_date(results):
    found = results.read_results()
    assert results.PAGE.read_text() == results.page(found)
    readme = results.README.read_text()
    assert readme == results.with_table(readme, found)


def test_every_file_says_how_it_was_made(results):
    for name, result in results.read_results().items():
        words = result["command"].split()
        assert words[0] == "python" and (ROOT / words[1]).is_file(), name
        assert result["title"] and result["about"] and result["date"]
        assert result["machine"]["processor"] and result["rows"]
        for row in result["rows"]:
            for cell in row.values():
                if isinstance(cell, list):
                    assert len(cell) == len(result["seeds"]), name


def test_a_benchmark_writes_its_results(results, tmp_path, monkeypatch):
    parser = argparse.ArgumentParser()
    results.add_output(parser)
    file = tmp_path / "small.json"
    arguments = ["--output", str(file), "--file", "/data/images.npz"]
    monkeypatch.setattr(
        sys, "argv", [str(BENCHMARKS / "digits.py"), *arguments]
    )
    assert parser.parse_known_args(arguments)[0].output == file
    rows = [{"": "loop", "steps": 1200, "accuracy": [90.0, 92.0]}]
    results.write_results(file, "Small", "Two seeds.", rows, [0, 1])
    found = json.loads(file.read_text())
    assert found["command"] == (
        "python tests/benchmarks/digits.py --file images.npz"
    )
    assert results.table(found["rows"]) == (
        "|  | steps | accuracy |\n"
        "| --- | ---: | ---: |\n"
        "| loop | 1,200 | 91.0 ± 1.4 |"
    )
    section = results.page({"small": found}).split("## Small")[1]
    assert "seeds 0, 1" in section and found["date"] in section
