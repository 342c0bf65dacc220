import os
import sys

import pytest

from keras_fewlabels.command_line.quiet_start import quiet_start


@pytest.mark.parametrize("name", ["-m", "/bin/keras-fewlabels"])
def test_the_command_writes_nothing_while_it_starts(name, monkeypatch, capfd):
    monkeypatch.setattr(sys, "argv", [name])
    started = ["python", "-m", "keras_fewlabels", "fit"]
    monkeypatch.setattr(sys, "orig_argv", started)
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    with pytest.raises(ImportError), quiet_start():
        os.write(2, b"noise")
        raise ImportError("an error comes through")
    os.write(2, b"afterwards")
    assert capfd.readouterr().err == "afterwards"


def test_a_notebook_is_quiet_while_it_starts(monkeypatch, capfd):
    monkeypatch.setitem(sys.modules, "ipykernel", None)
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet_start():
        os.write(2, b"noise")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", ["pytest", "-m"])
def test_other_programs_write_as_ever(name, monkeypatch, capfd):
    monkeypatch.setattr(sys, "argv", [name])
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "pytest"])
    with quiet_start():
        os.write(2, b"noise")
    assert capfd.readouterr().err == "noise"
