import keras
import numpy as np
import pytest

pytestmark = pytest.mark.tensorflow


def check_pictures(output, folder):
    assert "The pipeline and the model draw the same: True" in output
    for name in ("views", "ops"):
        picture = folder / "runs" / "augment" / f"{name}.png"
        assert picture.read_bytes()[1:4] == b"PNG"


def test_photographs(run_example, tmp_path):
    arguments = ("--image-size", "32", "--ops", "rotate", "invert")
    output = run_example("augment", "--num-views", "2", *arguments)
    check_pictures(output, tmp_path)


def test_own_folder(run_example, tmp_path):
    (tmp_path / "images").mkdir()
    for number in range(3):
        image = np.random.default_rng(number).uniform(0, 255, (20, 24, 3))
        keras.utils.save_img(tmp_path / "images" / f"{number}.png", image)
    output = run_example(
        *("augment", "--num-views", "2", "--images", "images"),
        *("--num-images", "2", "--ops", "color"),
    )
    check_pictures(output, tmp_path)
