import functools

import keras
import numpy as np
import pytest

import keras_fewlabels  # noqa: F401, the saved models have its layers

# It runs on JAX and torch as well, but takes minutes there.
pytestmark = pytest.mark.tensorflow


@pytest.fixture
def run(run_example):
    return functools.partial(run_example, "transfer_learning")


def write_images(folder, count, brightness):
    folder.mkdir(parents=True)
    random = np.random.default_rng(count)
    for number in range(count):
        image = random.integers(0, 40, (36, 40, 3)) + brightness
        keras.utils.save_img(folder / f"{number}.png", image, scale=False)


def check_output(output, folder):
    for name in ("frozen", "fine-tuned"):
        (line,) = [
            line for line in output.splitlines() if line.startswith(f"{name} ")
        ]
        assert line.endswith("%")
    folder = folder / "runs" / "transfer_learning"
    for name in ("learning_curves.png", "predictions.png"):
        assert (folder / name).read_bytes()[1:4] == b"PNG"
    return keras.saving.load_model(folder / "model.keras")


def test_digits(run, tmp_path):
    output = run(
        *("--image-size", "16", "--epochs", "2", "--labels-per-class", "5")
    )
    model = check_output(output, tmp_path)
    assert model.predict(np.zeros((2, 16, 16, 3)), verbose=0).shape == (2, 5)
    assert "20 images to train on, 5 to validate, 871 to test" in output
    assert "in the order of its outputs: 5, 6, 7, 8, 9" in output


def test_own_folder_and_weights(run, tmp_path, eager):
    for name, brightness in (("bright", 200), ("dark", 10)):
        write_images(tmp_path / "images" / name, 4, brightness)
    backbone = keras.applications.MobileNet(
        alpha=0.25, include_top=False, weights=None, input_shape=(32, 32, 3)
    )
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            # Untrained, its statistics would let the signal die away.
            layer.gamma.assign(5 * layer.gamma)
    backbone.save_weights(tmp_path / "mobilenet.weights.h5")
    output = run(
        *("--data", "images", "--labels-per-class", "2", "--epochs", "2"),
        *("--backbone", "MobileNet", "--alpha", "0.25", "--image-size", "32"),
        *("--weights", "mobilenet.weights.h5", "--validation-split", "0"),
        *("--batch-size", "4"),
    )
    model = check_output(output, tmp_path)
    assert model.output_shape == (None, 2)
    assert "4 images to train on, 0 to validate, 4 to test" in output
    assert "outputs: bright, dark" in output
    # Its batch normalization was kept, and the rest was fine-tuned.
    tuned = model.get_layer(backbone.name)
    for name, is_kept in (("conv_pw_13_bn", True), ("conv_pw_13", False)):
        before = backbone.get_layer(name).get_weights()
        after = tuned.get_layer(name).get_weights()
        assert all(map(np.array_equal, before, after)) == is_kept


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--epochs", "1"], "--epochs must be at least 2"),
        (["--labels-per-class", "0"], "--labels-per-class at least 1"),
        (["--validation-split", "1"], "at least 0 and below 1"),
    ],
)
def test_wrong_arguments_are_refused(run, capsys, arguments, message):
    with pytest.raises(SystemExit):
        run(*arguments)
    assert message in capsys.readouterr().err


def test_a_class_without_images_to_test_with_is_refused(run):
    with pytest.raises(SystemExit, match="The class 5 has 182 images"):
        run("--labels-per-class", "182")
