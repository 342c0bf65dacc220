import keras
import pytest

from keras_fewlabels.callbacks.print_progress import print_progress


@pytest.fixture
def quiet():
    keras.config.disable_interactive_logging()
    yield
    keras.config.enable_interactive_logging()


def test_prints(capsys):
    print_progress("61 parameters")
    assert capsys.readouterr().out == "61 parameters\n"


def test_logs_where_keras_does(quiet, capsys, caplog):
    with caplog.at_level("INFO", "absl"):
        print_progress("61 parameters")
    assert capsys.readouterr().out == ""
    assert "61 parameters" in caplog.text
