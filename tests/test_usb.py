"""The benchmark of USB runs on a CPU, and goes on where it was killed."""

import argparse
import csv
import importlib
import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

import keras_fewlabels as kfl
from documents import ROOT
from keras_fewlabels.data.batches import MixedBatches

pytestmark = pytest.mark.jax

BENCHMARKS = ROOT / "tests" / "benchmarks"
# The smallest network, and no half precision, which CPUs compile slowly.
OPTIONS = (
    "--methods FreeMatch --labels 20 --batch-size 8 --ratio 2 "
    "--steps 32 --epoch-steps 4 --steps-per-execution 2 "
    "--depth 4 --width 1 --dtype float32"
)
IMAGES = np.random.default_rng(0).integers(0, 256, (90, 8, 8, 3), "uint8")
LABELS = np.arange(90) % 10


@pytest.fixture
def usb(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("usb")


@pytest.fixture
def usb_model(usb):
    return importlib.import_module("usb_model")


def kill_after_two_epochs(arguments):
    """Runs the command in a process, and kills it in its third epoch."""
    command = [sys.executable, str(BENCHMARKS / "usb.py"), *arguments]
    env = {**os.environ, "KERAS_BACKEND": "jax"}
    with subprocess.Popen(
        command,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        seen = []
        # After the second line, the backup of the first epoch is complete.
        for line in process.stdout:
            seen.append(line)
            if " step 8 " in line:
                break
        process.kill()
    assert " step 8 " in seen[-1], seen


def rows_of(folder):
    with open(folder / "FreeMatch_20_0" / "error.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_a_killed_run_ends_like_one_that_was_not(
    usb, tmp_path, monkeypatch, capsys
):
    parts = {
        "x_train": IMAGES[:60],
        "y_train": LABELS[:60],
        "x_test": IMAGES[60:],
        "y_test": LABELS[60:],
    }
    np.savez(tmp_path / "images.npz", **parts)
    command = str(tmp_path / "images.npz"), *OPTIONS.split(), "--folder"
    file = tmp_path / "usb.json"
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    options = *command, str(whole), "--output", str(file)
    monkeypatch.setattr(sys, "argv", ["usb.py", *options])
    usb.main()
    assert capsys.readouterr().out.count(" step ") == 8
    kill_after_two_epochs([*command, str(killed)])
    monkeypatch.setattr(sys, "argv", ["usb.py", *command, str(killed)])
    usb.main()
    assert " step 4 " not in capsys.readouterr().out
    rows = rows_of(whole)
    assert [row["step"] for row in rows] == [str(4 * n) for n in range(1, 9)]
    for row, other in zip(rows, rows_of(killed), strict=True):
        for name in ("seconds", "images_per_second"):
            assert float(row.pop(name)) > 0 and float(other.pop(name)) > 0
        assert row == other
    (result,) = json.loads(file.read_text())["rows"]
    last = float(rows[-1]["error"])
    assert result["error at the end, %"] == f"{last:.2f}"


def test_the_loop_of_torch_trains_the_same_network(usb_model):
    torch = pytest.importorskip("torch")
    usb_torch = importlib.import_module("usb_torch")
    options = argparse.Namespace(
        depth=10, width=1, dtype="float32", batch_size=2, ratio=1, epoch_steps=1
    )
    assert usb_torch.images_per_second(IMAGES, LABELS, options) > 0
    weights = [w.shape for w in usb_model.wide_resnet(10, 1).trainable_weights]
    peer = usb_torch.wide_resnet(10, 1)
    # Keras has the axes of a kernel in another order.
    assert sorted(map(sorted, weights)) == sorted(
        sorted(p.shape) for p in peer.parameters()
    )
    assert peer(torch.zeros(1, 3, 8, 8)).shape == (1, 10)


def test_a_complete_run_is_not_repeated(usb, tmp_path):
    file = tmp_path / "FixMatch_40_0" / "error.csv"
    file.parent.mkdir()
    file.write_text("step,error,images_per_second\n2,40.0,10\n4,50.0,30.0\n")
    options = argparse.Namespace(folder=tmp_path, steps=4, epoch_steps=2)
    rows = usb.train("FixMatch", 40, 0, None, options)
    assert usb.table_row("FixMatch", 40, [rows, rows]) == {
        "": "`FixMatch`, 40 labels",
        "error at the end, %": "50.00, 50.00",
        "least error, %": "40.00, 40.00",
        "least error in USB, %": "8.33",
        "images/s": 20,
    }


def test_the_last_images_of_a_file_without_parts_are_the_test(usb, tmp_path):
    x = np.arange(5003)[:, None, None, None]
    np.savez(tmp_path / "images.npz", x=x, y=np.ones((5003, 1)))
    (images, labels), (test_images, _) = usb.load(tmp_path / "images.npz")
    np.testing.assert_array_equal(images.ravel(), [0, 1, 2])
    assert labels.shape == (3,) and test_images[0].item() == 3


def test_pixels_carry_numbers(usb_model):
    numbers = np.array([0, 1, 255, 256, 49_999, 65_536, 2**24 - 1])
    pixels = usb_model.pixels_of(numbers)
    assert (pixels.shape, pixels.dtype) == ((7, 1, 1, 3), "uint8")
    found = usb_model.numbers_of(keras.ops.convert_to_tensor(pixels))
    np.testing.assert_array_equal(found, numbers)


def small_student():
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((None, None, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(10),
        ]
    )


def fitted(model, images, steps_per_execution):
    """Returns a model after a fit of two epochs of six steps."""
    model.compile(
        keras.optimizers.SGD(0.5, momentum=0.9),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        steps_per_execution=steps_per_execution,
    )
    batches = MixedBatches(
        (images[:20], LABELS[:20]), images, 4, 8, seed=0, num_steps=6
    )
    model.fit(batches, epochs=2, verbose=0)
    return model


def test_steps_in_one_program_train_as_those_of_keras(usb_model):
    settings = {
        "noise": keras.layers.Identity(),
        "weak_noise": keras.layers.Identity(),
        "policy": kfl.policies.FixedThreshold(0.1),
    }
    model = kfl.models.FixMatch(small_student(), **settings)
    expected = fitted(model, IMAGES, 1)
    model = usb_model.FixMatch(small_student(), IMAGES, **settings)
    at_first = model.average.model.get_weights()[0].copy()
    fitted(model, usb_model.pixels_of(np.arange(len(IMAGES))), 3)
    for name in ("loss", "mask_ratio", "class_entropy"):
        np.testing.assert_allclose(
            model.history.history[name],
            expected.history.history[name],
            rtol=1e-4,
        )
    kernel = model.student.get_weights()[0]
    np.testing.assert_allclose(
        kernel, expected.student.get_weights()[0], rtol=1e-4, atol=1e-6
    )
    # The average has left the start, and is not the student.
    average = model.average.model.get_weights()[0]
    assert np.abs(average - at_first).max() > 1e-3
    assert np.abs(average - kernel).max() > 1e-3


def test_learning_rate_falls_to_a_fifth(usb_model):
    rate = usb_model.PartOfCosine(0.03, 16)
    found = [float(rate(step)) for step in (0, 8, 16)]
    np.testing.assert_allclose(found, [0.03, 0.02319, 0.005853], rtol=1e-3)
