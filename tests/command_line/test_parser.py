import argparse
import math

import pytest

from keras_fewlabels.command_line.parser import command_parser, seconds


def test_times():
    times = {"90": 90, "90s": 90, "10m": 600, "1.5h": 5400, "inf": math.inf}
    assert {text: seconds(text) for text in times} == times


@pytest.mark.parametrize("text", ["", "0", "-3", "ten", "10 m", "1d", "nan"])
def test_no_times(text):
    with pytest.raises(argparse.ArgumentTypeError, match="such as 10m"):
        seconds(text)


@pytest.mark.parametrize(
    "command", ["fit", "predict", "audit", "next", "export", "report"]
)
def test_help_shows_an_example_that_can_be_parsed(command, capsys):
    parser = command_parser()
    for arguments in ([], [command]):
        with pytest.raises(SystemExit) as exit:
            parser.parse_args([*arguments, "--help"])
        assert exit.value.code == 0
        lines = capsys.readouterr().out.splitlines()
        (example,) = [
            line.split()[1:]
            for line in lines
            if line.startswith(f"  keras-fewlabels {command} ")
        ]
        assert parser.parse_args(example).command == command


def test_what_is_no_command_exits_with_2(capsys):
    for arguments in ([], ["train"], ["fit", "labeled"]):
        with pytest.raises(SystemExit) as exit:
            command_parser().parse_args(arguments)
        assert exit.value.code == 2
    assert "usage: keras-fewlabels" in capsys.readouterr().err
