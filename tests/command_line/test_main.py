import pytest

from keras_fewlabels.command_line import parser
from keras_fewlabels.command_line.main import main


def run(monkeypatch, command):
    """Lets the command `report` run a function."""
    entry = command, *parser._COMMANDS["report"][1:]
    monkeypatch.setitem(parser._COMMANDS, "report", entry)


@pytest.mark.parametrize(
    "error, code, message",
    [
        (ValueError("No such class"), 1, "No such class"),
        (OSError("disk full"), 1, "disk full"),
        (ImportError("needs Pillow"), 1, "needs Pillow"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_errors_are_a_line_and_an_exit_code(
    error, code, message, monkeypatch, capsys
):
    def command(options):
        raise error

    run(monkeypatch, command)
    assert main(["report", "folder"]) == code
    err = capsys.readouterr().err.strip()
    assert err == f"keras-fewlabels report: {message}"


def test_a_mistake_of_ours_is_shown_in_full(monkeypatch):
    def command(options):
        raise KeyError("x")

    run(monkeypatch, command)
    with pytest.raises(KeyError):
        main(["report", "folder"])


def test_the_exit_code_is_that_of_the_command(monkeypatch):
    run(monkeypatch, lambda options: 7)
    assert main(["report", "folder"]) == 7
