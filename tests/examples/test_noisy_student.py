import keras
import numpy as np
import pytest

import keras_fewlabels as kfl

pytestmark = pytest.mark.tensorflow


def write_images(folder, count, brightness):
    folder.mkdir(parents=True)
    random = np.random.default_rng(count)
    for number in range(count):
        image = random.integers(0, 40, (20, 24, 3)) + brightness
        keras.utils.save_img(folder / f"{number}.png", image, scale=False)


def write_folders(folder):
    for name, brightness in (("bright", 200), ("dark", 10)):
        write_images(folder / "labeled" / name, 10, brightness)
        write_images(folder / "test" / name, 3, brightness)
        write_images(folder / "unlabeled" / name, 20, brightness)
    return "--labeled", "labeled", "--unlabeled", "unlabeled"


def check_table(output, split):
    lines = output.splitlines()
    title = f"{split} accuracy, "
    first = next(n for n, line in enumerate(lines) if title in line)
    for name, line in zip(
        ("supervised", "teacher", "noisy student"),
        lines[first + 1 : first + 4],
        strict=True,
    ):
        assert line.startswith(name) and line.endswith("%")
    return lines[first : first + 4]


def test_digits(run_example, tmp_path, eager):
    check_table(run_example("noisy_student", "--steps", "6"), "test")
    assert (tmp_path / "report" / "index.html").exists()
    model = keras.saving.load_model(tmp_path / "report" / "standalone.keras")
    # Of another size than the images it was trained on.
    image = np.zeros((20, 20, 1), "uint8")
    (name, _), *_ = kfl.models.predict_image(model, image)
    assert name in set("0123456789")


def test_own_folders(run_example, tmp_path):
    folders = write_folders(tmp_path)
    (tmp_path / "labeled" / "dark" / "notes.jpg").write_text("not an image")
    output = run_example("noisy_student", *folders, "--steps", "6")
    assert "notes.jpg" in output
    check_table(output, "validation")
    model = keras.saving.load_model(tmp_path / "report" / "standalone.keras")
    assert kfl.models.class_names_of(model) == ["bright", "dark"]


@pytest.mark.slow
def test_own_folders_with_test_images_and_weights(run_example, tmp_path):
    folders = write_folders(tmp_path)
    keras.applications.MobileNetV2(
        input_shape=(32, 32, 3), alpha=0.35, include_top=False, weights=None
    ).save_weights(tmp_path / "mobile.weights.h5")
    output = run_example(
        *("noisy_student", *folders, "--test", "test", "--image-size", "32"),
        *("--weights", "mobile.weights.h5", "--steps", "6", "--seeds", "2"),
    )
    table = check_table(output, "test")
    assert all("+-" in line for line in table[1:])


def test_seeds_give_a_mean_and_a_spread(load_example, capsys):
    class Report:
        def __init__(self, accuracy):
            self.phase = {"test": {"accuracy": accuracy}}

        def to_dict(self):
            return {"baseline": self.phase, "phases": [self.phase] * 2}

    load_example("noisy_student").print_table([Report(0.5), Report(0.7)])
    title, *rows = capsys.readouterr().out.splitlines()
    assert title.endswith("test accuracy, 2 seed(s)")
    assert len(rows) == 3
    # The standard deviation of a sample of two, 20 / sqrt(2).
    assert all(row.endswith("60.0 +- 14.1 %") for row in rows)


def test_folder_without_images_is_refused(run_example, tmp_path):
    folders = write_folders(tmp_path)
    (tmp_path / "empty").mkdir()
    expected = "unlabeled: 0 images of 0 files in empty"
    with pytest.raises(ValueError, match=expected):
        run_example("noisy_student", *folders[:-1], "empty")


def test_half_a_pair_of_folders_is_refused(run_example, capsys):
    with pytest.raises(SystemExit):
        run_example("noisy_student", "--labeled", "labeled")
    expected = "--labeled and --unlabeled belong together"
    assert expected in capsys.readouterr().err
