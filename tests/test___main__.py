import os
import subprocess
import sys


def run(*arguments):
    environment = dict(os.environ)
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    return subprocess.run(
        [sys.executable, "-m", "keras_fewlabels", *arguments],
        capture_output=True,
        text=True,
        env=environment,
    )


def test_the_module_is_the_command_and_is_quiet():
    done = run("--help")
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith("usage: keras-fewlabels")


def test_what_is_wrong_is_still_written():
    done = run("train")
    assert done.returncode == 2 and "invalid choice: 'train'" in done.stderr
